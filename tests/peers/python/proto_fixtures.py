"""Prints what Python's protobuf makes of values of `types.proto`, as JSON: `{ name: { value, hex } }`.

A value is written as keyword arguments. In it, a text that begins with `hex:` stands for bytes and one that begins with
`int:` for an integer beyond 2^53.
"""

import json
import os

import proto_schema

HERE = os.path.dirname(os.path.abspath(__file__))
Everything = proto_schema.load(os.path.join(HERE, "types.proto"))["Everything"]

VALUES = {
    "empty": {},
    "floats": {"double_value": 0.1, "float_value": -1.5, "doubles": [0.0, 1e300, -2.5]},
    "small": {"int32_value": 1, "int64_value": 2, "uint32_value": 3, "uint64_value": 4, "sint32_value": 5, "sint64_value": 6},
    "negative": {"int32_value": -1, "int64_value": -1, "sint32_value": -1, "sint64_value": -1, "sfixed32_value": -1, "sfixed64_value": -1},
    "least": {
        "int32_value": -(2**31),
        "int64_value": "int:-9223372036854775808",
        "sint32_value": -(2**31),
        "sint64_value": "int:-9223372036854775808",
        "sfixed32_value": -(2**31),
        "sfixed64_value": "int:-9223372036854775808",
    },
    "most": {
        "int32_value": 2**31 - 1,
        "int64_value": "int:9223372036854775807",
        "uint32_value": 2**32 - 1,
        "uint64_value": "int:18446744073709551615",
        "sint32_value": 2**31 - 1,
        "sint64_value": "int:9223372036854775807",
        "fixed32_value": 2**32 - 1,
        "fixed64_value": "int:18446744073709551615",
        "sfixed32_value": 2**31 - 1,
        "sfixed64_value": "int:9223372036854775807",
    },
    "around 2^53": {"int64_value": 2**53 - 1, "sint64_value": -(2**53 - 1), "uint64_value": "int:9007199254740992", "sfixed64_value": "int:-9007199254740993"},
    "texts": {"string_value": "gr\u00fc\u00dfe \u20ac\U0001f600", "texts": ["", "a", "x" * 200], "bytes_value": "hex:00ff10"},
    "bool and enum": {"bool_value": True, "color": "BLUE", "colors": ["NONE", "RED", "BLUE"]},
    "lists": {"packed": [0, 1, -1, 300], "expanded": [0, 1, -1, 300]},
    "nested": {"inner": {"inner": {"int32_value": 7}}, "list": [{}, {"string_value": "y" * 130}]},
    "maps": {"counts": {"a": 1}, "by_id": {"-5": {"int32_value": 1}}, "flags": {"true": "yes"}},
    "empty entries": {"counts": {"": 0}, "by_id": {"0": {}}},
    "presence": {"maybe": 0, "inner": {}, "name": ""},
    "the other choice": {"number": 0},
}


def revive(value):
    if isinstance(value, str) and value.startswith("hex:"):
        return bytes.fromhex(value[4:])
    if isinstance(value, str) and value.startswith("int:"):
        return int(value[4:])
    if isinstance(value, list):
        return [revive(item) for item in value]
    if isinstance(value, dict):
        return {key: revive(item) for key, item in value.items()}
    return value


def fill(message, value):
    for name, item in revive(value).items():
        field = message.DESCRIPTOR.fields_by_name[name]
        place = getattr(message, name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key, entry in item.items():
                read = {"counts": str, "by_id": int, "flags": lambda text: text == "true"}[name](key)
                if isinstance(entry, dict):
                    fill(place[read], entry)
                else:
                    place[read] = entry
        elif field.message_type is not None and isinstance(item, list):
            for entry in item:
                fill(place.add(), entry)
        elif field.message_type is not None:
            place.SetInParent()
            fill(place, item)
        elif field.enum_type is not None:
            numbers = {entry.name: entry.number for entry in field.enum_type.values}
            if isinstance(item, list):
                place.extend([numbers[entry] for entry in item])
            else:
                setattr(message, name, numbers[item])
        elif isinstance(item, list):
            place.extend(item)
        else:
            setattr(message, name, item)
    return message


def main():
    shown = {
        name: {"value": value, "hex": fill(Everything(), value).SerializeToString(deterministic=True).hex()}
        for name, value in VALUES.items()
    }
    print(json.dumps(shown, indent=2))


if __name__ == "__main__":
    main()
