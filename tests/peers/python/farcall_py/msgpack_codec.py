"""The codec `msgpack`, from src/codecs/msgpack/SPEC.md."""

import struct

from .values import (MAX_DEPTH, MAX_SAFE, UNDEFINED, BigInt, Date, ErrorValue, Fault, Map, Set, Undefined, utf8,
                     well_formed)

MAX_DEFINITIONS = 256
MAX_NAMES_IN_RECORD = 64
MAX_NAME_BYTES = 65536
FIXEXT = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}


class Shapes:
    """The records that one side has defined."""

    def __init__(self):
        self.names = []
        self.name_bytes = 0

    def define(self, data):
        """Reads the body of a DEFINE frame. Returns the new shapes, for people."""
        new, at = [], 0
        while at < len(data):
            number, at = varint(data, at)
            count, at = varint(data, at)
            if number != len(self.names):
                raise Fault(f"definition {number} where {len(self.names)} is next")
            if len(self.names) >= MAX_DEFINITIONS:
                raise Fault(f"more than {MAX_DEFINITIONS} definitions")
            if not 1 <= count <= MAX_NAMES_IN_RECORD:
                raise Fault(f"definition {number} has {count} names")
            names = []
            for _ in range(count):
                length, at = varint(data, at)
                if at + length > len(data):
                    raise Fault("a definition ends in the middle of a name")
                names.append(utf8(data[at : at + length], "a name in a definition"))
                at += length
                self.name_bytes += length
            if len(set(names)) != count:
                raise Fault(f"definition {number} has a name twice: {names}")
            if self.name_bytes > MAX_NAME_BYTES:
                raise Fault(f"more than {MAX_NAME_BYTES} bytes of names")
            self.names.append(names)
            new.append(names)
        return new


def varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data):
            raise Fault("ends in the middle of a varint")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if value >= 2**53:
            raise Fault("a varint of 2^53 or more")
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 49:
            raise Fault("a varint of more than 8 bytes")


def decode(data, shapes=(), depth=MAX_DEPTH):
    """Reads the one value that fills the bytes. `shapes` is what the records in it may refer to: lists of names."""
    reader = Reader(data, shapes)
    value = reader.value(depth)
    reader.done()
    return value


class Reader:
    def __init__(self, data, shapes):
        self.data, self.at, self.shapes = data, 0, shapes

    def done(self):
        if self.at != len(self.data):
            raise Fault(f"{len(self.data) - self.at} bytes after the end of a value")

    def take(self, count):
        if self.at + count > len(self.data):
            raise Fault("a value ends in the middle")
        self.at += count
        return self.data[self.at - count : self.at]

    def unpack(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(form)))[0]

    def value(self, depth):
        head = self.unpack("B")
        if head < 0x80:
            return head
        if head >= 0xE0:
            return head - 256
        if head < 0x90:
            return self.map(head & 15, depth)
        if head < 0xA0:
            return self.array(head & 15, self.inside(depth))
        if head < 0xC0:
            return self.text(head & 31)
        if head == 0xC0:
            return None
        if head == 0xC1:
            return self.record(depth)
        if head in (0xC2, 0xC3):
            return head == 0xC3
        if 0xC4 <= head <= 0xC6:
            return bytes(self.take(self.unpack("BHI"[head - 0xC4])))
        if 0xC7 <= head <= 0xC9:
            length = self.unpack("BHI"[head - 0xC7])
            return self.extension(length, depth)
        if head in (0xCA, 0xCB):
            return number(self.unpack("fd"[head - 0xCA]))
        if 0xCC <= head <= 0xD3:
            whole = self.unpack("BHIQbhiq"[head - 0xCC])
            return whole if abs(whole) <= MAX_SAFE else BigInt(whole)
        if 0xD4 <= head <= 0xD8:
            return self.extension(1 << (head - 0xD4), depth)
        if 0xD9 <= head <= 0xDB:
            return self.text(self.unpack("BHI"[head - 0xD9]))
        if head in (0xDC, 0xDD):
            return self.array(self.unpack("HI"[head - 0xDC]), self.inside(depth))
        return self.map(self.unpack("HI"[head - 0xDE]), depth)

    def inside(self, depth):
        if depth == 0:
            raise Fault(f"more than {MAX_DEPTH} levels")
        return depth - 1

    def text(self, length):
        return utf8(self.take(length), "a string")

    def array(self, length, depth):
        self.room(length)
        return [self.value(depth) for _ in range(length)]

    def map(self, length, depth):
        self.room(length * 2)
        depth = self.inside(depth)
        found = {}
        for _ in range(length):
            key = self.value(depth)
            if not isinstance(key, str):
                raise Fault(f"a key of a map is no string: {key!r}")
            found[key] = self.value(depth)
        return found

    def record(self, depth):
        shape, self.at = varint(self.data, self.at)
        if shape >= len(self.shapes):
            raise Fault(f"record {shape} is not defined")
        depth = self.inside(depth)
        return {name: self.value(depth) for name in self.shapes[shape]}

    def room(self, least):
        if least > len(self.data) - self.at:
            raise Fault("a length that the message cannot hold")

    def extension(self, length, depth):
        kind = self.unpack("b")
        payload = self.take(length)
        if kind == -1:
            return timestamp(payload)
        if kind == 0:
            if bytes(payload) != b"\0":
                raise Fault("extension 0 must be one byte, 0")
            return UNDEFINED
        if kind == 1:
            if length == 0:
                raise Fault("a bigint of no bytes")
            return BigInt(int.from_bytes(payload, "big", signed=True))
        if kind not in (2, 3, 4):
            raise Fault(f"unknown extension {kind}")
        inner = Reader(payload, self.shapes)
        # The array or map inside is no level of its own: it gets the depth from before.
        content = inner.value(depth)
        inner.done()
        if kind == 4:
            return ErrorValue(content)
        if not isinstance(content, list) or (kind == 2 and len(content) % 2):
            raise Fault(f"extension {kind} has the wrong payload")
        return Set(content) if kind == 3 else Map(list(zip(content[::2], content[1::2])))


def number(value):
    """A JavaScript number: whole ones are ints, but for -0 and what is beyond 2^53."""
    if value == value and abs(value) <= MAX_SAFE and value.is_integer() and not (value == 0 and str(value)[0] == "-"):
        return int(value)
    return value


def timestamp(payload):
    if len(payload) == 4:
        return Date(int.from_bytes(payload, "big") * 1000)
    if len(payload) == 8:
        both = int.from_bytes(payload, "big")
        nanoseconds, seconds = both >> 34, both & (2**34 - 1)
    elif len(payload) == 12:
        nanoseconds, seconds = struct.unpack(">Iq", payload)
    else:
        raise Fault(f"a timestamp of {len(payload)} bytes")
    if nanoseconds > 999_999_999:
        raise Fault("a timestamp with more than a second of nanoseconds")
    return Date(seconds * 1000 + nanoseconds // 1_000_000)


def encode(value, depth=MAX_DEPTH):
    out = bytearray()
    write(out, value, depth)
    return bytes(out)


def write(out, value, depth):
    if value is None:
        out.append(0xC0)
    elif isinstance(value, bool):
        out.append(0xC3 if value else 0xC2)
    elif isinstance(value, BigInt):
        length = max(8, (value if value >= 0 else ~value).bit_length() // 8 + 1)
        write_extension(out, 1, value.to_bytes(length, "big", signed=True))
    elif isinstance(value, int):
        write_int(out, value)
    elif isinstance(value, float):
        whole = number(value)
        if isinstance(whole, int):
            write_int(out, whole)
        else:
            out += b"\xcb" + struct.pack(">d", value)
    elif isinstance(value, str):
        data = well_formed(value).encode()
        write_head(out, len(data), 0xA0, 31, (0xD9, 0xDA, 0xDB))
        out += data
    elif isinstance(value, (bytes, bytearray)):
        write_head(out, len(value), 0, -1, (0xC4, 0xC5, 0xC6))
        out += value
    elif isinstance(value, (list, tuple)):
        write_array(out, value, inside(depth))
    elif isinstance(value, dict):
        depth = inside(depth)
        write_head(out, len(value), 0x80, 15, (None, 0xDE, 0xDF))
        for key, held in value.items():
            write(out, str(key), depth)
            write(out, held, depth)
    elif isinstance(value, Undefined):
        write_extension(out, 0, b"\0")
    elif isinstance(value, Date):
        seconds, ms = divmod(value.ms, 1000)
        if 0 <= seconds < 2**32 and ms == 0:
            write_extension(out, -1, struct.pack(">I", seconds))
        elif 0 <= seconds < 2**34:
            write_extension(out, -1, struct.pack(">Q", (ms * 1_000_000) << 34 | seconds))
        else:
            write_extension(out, -1, struct.pack(">Iq", ms * 1_000_000, seconds))
    else:
        payload = bytearray()
        if isinstance(value, Map):
            write_array(payload, [one for pair in value.pairs for one in pair], inside(depth))
            write_extension(out, 2, payload)
        elif isinstance(value, Set):
            write_array(payload, value.members, inside(depth))
            write_extension(out, 3, payload)
        elif isinstance(value, ErrorValue):
            write(payload, value.fields, depth)
            write_extension(out, 4, payload)
        else:
            raise Fault(f"{type(value).__name__} cannot travel")


def inside(depth):
    if depth == 0:
        raise Fault(f"more than {MAX_DEPTH} levels")
    return depth - 1


def write_array(out, items, depth):
    write_head(out, len(items), 0x90, 15, (None, 0xDC, 0xDD))
    for item in items:
        write(out, item, depth)


def write_head(out, length, short, most, heads):
    if length <= most:
        out.append(short | length)
    elif length < 2**8 and heads[0] is not None:
        out += struct.pack(">BB", heads[0], length)
    elif length < 2**16:
        out += struct.pack(">BH", heads[1], length)
    else:
        out += struct.pack(">BI", heads[2], length)


def write_extension(out, kind, payload):
    if len(payload) in FIXEXT:
        out.append(FIXEXT[len(payload)])
    else:
        write_head(out, len(payload), 0, -1, (0xC7, 0xC8, 0xC9))
    out += struct.pack("b", kind) + payload


def write_int(out, value):
    if abs(value) > MAX_SAFE:
        out += b"\xcb" + struct.pack(">d", value)
    elif -32 <= value < 128:
        out += struct.pack("b" if value < 0 else "B", value)
    else:
        forms = "BHIQ" if value > 0 else "bhiq"
        for at, form in enumerate(forms):
            bits = 8 << at
            if (value < 2**bits) if value > 0 else (value >= -(2 ** (bits - 1))):
                out += struct.pack(">B" + form, (0xCC if value > 0 else 0xD0) + at, value)
                return
