"""Makes message classes of `.proto` files while a program runs, so that no `protoc` is needed.

Reads what the files of this folder use: messages and enums, also inside messages, `optional`, `repeated`, `map`,
`oneof`, `packed`; services are passed over. Works with protobuf 3.20 and newer.
"""

import os
import re

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FieldProto = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    "double": FieldProto.TYPE_DOUBLE,
    "float": FieldProto.TYPE_FLOAT,
    "int64": FieldProto.TYPE_INT64,
    "uint64": FieldProto.TYPE_UINT64,
    "int32": FieldProto.TYPE_INT32,
    "fixed64": FieldProto.TYPE_FIXED64,
    "fixed32": FieldProto.TYPE_FIXED32,
    "bool": FieldProto.TYPE_BOOL,
    "string": FieldProto.TYPE_STRING,
    "bytes": FieldProto.TYPE_BYTES,
    "uint32": FieldProto.TYPE_UINT32,
    "sfixed32": FieldProto.TYPE_SFIXED32,
    "sfixed64": FieldProto.TYPE_SFIXED64,
    "sint32": FieldProto.TYPE_SINT32,
    "sint64": FieldProto.TYPE_SINT64,
}
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"[^"]*"|-?[\w.]+|[{}()\[\]<>=;,]', re.S)


class Parser:
    def __init__(self, text):
        self.tokens = [token for token in TOKEN.findall(text) if not token.startswith(("//", "/*"))]
        self.proto3 = False

    def next(self):
        return self.tokens.pop(0)

    def skip(self, *expected):
        for token in expected:
            found = self.next()
            if found != token:
                raise ValueError(f"expected {token!r}, found {found!r}")

    def skip_block(self):
        self.skip("{")
        depth = 1
        while depth > 0:
            depth += {"{": 1, "}": -1}.get(self.next(), 0)

    def file(self, name):
        file = descriptor_pb2.FileDescriptorProto(name=name)
        while self.tokens:
            word = self.next()
            if word == "syntax":
                self.skip("=")
                file.syntax = self.next().strip('"')
                self.proto3 = file.syntax == "proto3"
                self.skip(";")
            elif word == "package":
                file.package = self.next()
                self.skip(";")
            elif word == "message":
                self.message(file.message_type.add())
            elif word == "enum":
                self.enum(file.enum_type.add())
            elif word == "service":
                self.next()
                self.skip_block()
            else:
                raise ValueError(f"cannot read {word!r}")
        return file

    def message(self, message):
        message.name = self.next()
        self.skip("{")
        while self.tokens[0] != "}":
            word = self.tokens[0]
            if word == "message":
                self.next()
                self.message(message.nested_type.add())
            elif word == "enum":
                self.next()
                self.enum(message.enum_type.add())
            elif word == "oneof":
                self.next()
                index = len(message.oneof_decl)
                message.oneof_decl.add(name=self.next())
                self.skip("{")
                while self.tokens[0] != "}":
                    self.field(message, index)
                self.skip("}")
            elif word == "map":
                self.map(message)
            else:
                self.field(message)
        self.skip("}")
        # Those of `optional` come after all others.
        for field in message.field:
            if field.proto3_optional:
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field.name}")

    def field(self, message, oneof=None):
        field = message.field.add(label=FieldProto.LABEL_OPTIONAL)
        if self.tokens[0] in ("optional", "repeated", "required"):
            label = self.next()
            field.label = getattr(FieldProto, f"LABEL_{label.upper()}")
            field.proto3_optional = label == "optional" and self.proto3
        self.type(field, self.next())
        self.name_and_number(field)
        if oneof is not None:
            field.oneof_index = oneof

    def type(self, field, name):
        if name in SCALARS:
            field.type = SCALARS[name]
        else:
            # Whether it is a message or an enum is found out when all are known.
            field.type_name = name

    def name_and_number(self, field):
        field.name = self.next()
        self.skip("=")
        field.number = int(self.next())
        if self.tokens[0] == "[":
            self.skip("[", "packed", "=")
            field.options.packed = self.next() == "true"
            self.skip("]")
        self.skip(";")

    def map(self, message):
        self.skip("map", "<")
        key = self.next()
        self.skip(",")
        value = self.next()
        self.skip(">")
        field = message.field.add(label=FieldProto.LABEL_REPEATED)
        self.name_and_number(field)
        entry = message.nested_type.add(name="".join(part.title() for part in field.name.split("_")) + "Entry")
        entry.options.map_entry = True
        for number, (name, type_name) in enumerate((("key", key), ("value", value)), 1):
            part = entry.field.add(name=name, number=number, label=FieldProto.LABEL_OPTIONAL)
            self.type(part, type_name)
        field.type_name = entry.name

    def enum(self, enum):
        enum.name = self.next()
        self.skip("{")
        while self.tokens[0] != "}":
            name = self.next()
            self.skip("=")
            enum.value.add(name=name, number=int(self.next()))
            self.skip(";")
        self.skip("}")


def load(path):
    """The message classes of a `.proto` file, by name."""
    with open(path, encoding="utf-8") as opened:
        file = Parser(opened.read()).file(os.path.basename(path))
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    prefix = f"{file.package}." if file.package else ""
    return {
        message.name: class_of(pool.FindMessageTypeByName(prefix + message.name)) for message in file.message_type
    }


def class_of(descriptor):
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory().GetPrototype(descriptor)
