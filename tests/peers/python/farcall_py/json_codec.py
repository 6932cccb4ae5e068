"""The codec `json`, from src/codecs/json/SPEC.md."""

import base64
import binascii
import json
import math
import re

from .msgpack_codec import number
from .values import (MAX_DEPTH, MAX_SAFE, UNDEFINED, BigInt, Date, ErrorValue, Fault, Map, Set, Undefined, utf8,
                     well_formed)

NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}
ISO = re.compile(
    r"([+-]\d{6}|\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))", re.A
)


def decode(data, _shapes=()):
    def constant(text):
        raise Fault(f"{text} is no JSON")

    try:
        parsed = json.loads(utf8(data), parse_constant=constant)
    except (json.JSONDecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Fault(f"no JSON: {error}") from None
    return from_json(parsed, MAX_DEPTH)


def inside(depth):
    if depth == 0:
        raise Fault(f"more than {MAX_DEPTH} levels")
    return depth - 1


def from_json(value, depth):
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_SAFE else float(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        depth = inside(depth)
        return [from_json(item, depth) for item in value]
    if len(value) == 1:
        ((name, held),) = value.items()
        if name.startswith("$"):
            return tagged(name, held, depth)
    depth = inside(depth)
    return {name: from_json(held, depth) for name, held in value.items()}


def tagged(tag, held, depth):
    def need(kind):
        if not isinstance(held, kind):
            raise Fault(f"{tag} has a value of the wrong type")

    if tag == "$undefined":
        if held is not True:
            raise Fault("$undefined must be true")
        return UNDEFINED
    if tag == "$number":
        need(str)
        if held not in NUMBERS:
            raise Fault(f"unknown $number {held}")
        return NUMBERS[held]
    if tag == "$bigint":
        need(str)
        if re.fullmatch(r"-?0x[0-9a-fA-F]+", held):
            return BigInt(int(held, 16))
        if not re.fullmatch(r"-?[0-9]{1,400}", held):
            raise Fault("no $bigint")
        return BigInt(held)
    if tag == "$date":
        need(str)
        return Date(parse_date(held))
    if tag == "$bytes":
        need(str)
        try:
            return base64.b64decode(held, validate=True)
        except binascii.Error as error:
            raise Fault(f"$bytes is no base64: {error}") from None
    if tag == "$map":
        need(list)
        depth = inside(depth)
        if any(not isinstance(pair, list) or len(pair) != 2 for pair in held):
            raise Fault("$map must hold pairs")
        return Map([(from_json(key, depth), from_json(one, depth)) for key, one in held])
    if tag == "$set":
        need(list)
        depth = inside(depth)
        return Set([from_json(one, depth) for one in held])
    if tag == "$error":
        need(dict)
        depth = inside(depth)
        return ErrorValue({name: from_json(one, depth) for name, one in held.items()})
    if tag == "$object":
        need(dict)
        if len(held) != 1 or not next(iter(held)).startswith("$"):
            raise Fault("$object must hold one property whose name begins with $")
        depth = inside(depth)
        return {name: from_json(one, depth) for name, one in held.items()}
    raise Fault(f"unknown tag {tag}")


def encode(value):
    return dumps(value).encode()


def dumps(value):
    """The JSON text of a value; also how it is shown to tests."""
    return json.dumps(to_json(value, MAX_DEPTH), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def to_json(value, depth):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, BigInt):
        sign = "-" if value < 0 else ""
        digits = f"{abs(value):x}"
        return {"$bigint": f"{sign}0x{digits}" if len(digits) > 256 else str(int(value))}
    if isinstance(value, int):
        return value if abs(value) <= MAX_SAFE else float(value)
    if isinstance(value, float):
        if math.isnan(value):
            return {"$number": "NaN"}
        if math.isinf(value):
            return {"$number": "Infinity" if value > 0 else "-Infinity"}
        if value == 0 and math.copysign(1, value) < 0:
            return {"$number": "-0"}
        return number(value)
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, Undefined):
        return {"$undefined": True}
    if isinstance(value, Date):
        return {"$date": format_date(value.ms)}
    depth = inside(depth)
    if isinstance(value, (list, tuple)):
        return [to_json(item, depth) for item in value]
    if isinstance(value, Map):
        return {"$map": [[to_json(key, depth), to_json(one, depth)] for key, one in value.pairs]}
    if isinstance(value, Set):
        return {"$set": [to_json(one, depth) for one in value.members]}
    if isinstance(value, ErrorValue):
        return {"$error": {name: to_json(one, depth) for name, one in value.fields.items()}}
    if isinstance(value, dict):
        plain = {well_formed(str(name)): to_json(one, depth) for name, one in value.items()}
        looks_tagged = len(plain) == 1 and next(iter(plain)).startswith("$")
        return {"$object": plain} if looks_tagged else plain
    raise Fault(f"{type(value).__name__} cannot travel")


def parse_date(text):
    found = ISO.fullmatch(text)
    if found is None:
        raise Fault(f"no ISO 8601: {text!r}")
    year, month, day, hour, minute, second, fraction, sign, off_hours, off_minutes = found.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31 and int(hour) <= 24 and int(minute) < 60):
        raise Fault(f"no date: {text!r}")
    seconds = days_from_civil(int(year), int(month), int(day)) * 86400
    seconds += int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    if sign is not None:
        seconds -= (1 if sign == "+" else -1) * (int(off_hours) * 3600 + int(off_minutes) * 60)
    return seconds * 1000 + int((fraction or "0").ljust(3, "0")[:3])


def format_date(ms):
    days, rest = divmod(ms, 86_400_000)
    year, month, day = civil_from_days(days)
    seconds, ms = divmod(rest, 1000)
    sign = "-" if year < 0 else "+"
    years = f"{year:04}" if 0 <= year <= 9999 else f"{sign}{abs(year):06}"
    return f"{years}-{month:02}-{day:02}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}Z"


# Python's own dates end at the years 1 and 9999. These two count in eras of 400 years that begin on the first of March.
def days_from_civil(year, month, day):
    year -= month <= 2
    era = year // 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    of_era = year - era * 400
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + day_of_year - 719468


def civil_from_days(days):
    days += 719468
    era = days // 146097
    day_of_era = days - era * 146097
    of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * of_era + of_era // 4 - of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1
