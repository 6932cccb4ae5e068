"""Prefaces, frames and their bodies, from src/protocols/farcall/SPEC.md sections 1 to 5. Bytes in, plain dicts out."""

import json
import re
import struct

from .msgpack_codec import varint as read_varint
from .values import CODES, Fault, utf8

MAGIC = b"\0FARCALL"
MAX_PREFACE = 4096
LEAST_FRAME = 4096
LEAST_WINDOW = 65536
MAX_NAME = 256
MAX_METHODS = 4096
(CALL, REPLY, ERROR, HEAD, ITEM, END, CANCEL, CREDIT, PING, PONG, DRAIN, METHOD, DEFINE, PART, CLOSE) = range(1, 16)
NAMES = dict(enumerate("call reply error head item end cancel credit ping pong drain method define part close".split(), 1))
FROM_CLIENT = {CALL, ITEM, END, CANCEL, CREDIT, PING, PONG, DEFINE, PART, CLOSE}
FROM_SERVER = {REPLY, ERROR, HEAD, ITEM, END, CANCEL, CREDIT, PING, PONG, DRAIN, METHOD, DEFINE, PART, CLOSE}
# Added to the type of the last frame of a message in parts.
WHOLE = 0x40
CUTTABLE = {CALL, REPLY, ERROR, ITEM}
# What takes the place of a message in parts of the same side.
REPLACING = {REPLY, ERROR, HEAD, ITEM, END}
CONNECTION_ONLY = {PING, PONG, DEFINE, CLOSE}


def whole(kind):
    """The type of a frame without what says that it ends a message in parts, and whether it said so."""
    return (kind - WHOLE, True) if kind - WHOLE in CUTTABLE else (kind, False)


class Body:
    """Reads the parts of a body in order."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def u8(self):
        if self.at >= len(self.data):
            raise Fault("a body ends too early")
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value, self.at = read_varint(self.data, self.at)
        return value

    def text(self, most=None):
        length = self.varint()
        if self.at + length > len(self.data):
            raise Fault("a text goes beyond its body")
        if most is not None and length > most:
            raise Fault(f"a text of {length} bytes, at most {most} are allowed")
        self.at += length
        return utf8(self.data[self.at - length : self.at])

    def metadata(self):
        found, size = {}, 0
        count = self.varint()
        if count > 64:
            raise Fault(f"{count} entries of metadata")
        for _ in range(count):
            name, value = self.text(), self.text()
            size += len(name.encode()) + len(value.encode())
            if not re.fullmatch(r"[0-9a-z_.\-]+", name):
                raise Fault(f"the name of metadata {name!r} holds what it must not")
            if re.search(r"[\x00-\x1f\x7f]", value):
                raise Fault(f"metadata {name} holds control characters")
            found[name] = value
        if size > 8192:
            raise Fault(f"{size} bytes of metadata")
        return found

    def reason(self):
        code = self.u8()
        if not 1 <= code <= len(CODES):
            raise Fault(f"unknown code {code}")
        return {"code": CODES[code - 1], "message": self.text()}

    def rest(self):
        rest = self.data[self.at :]
        self.at = len(self.data)
        return rest

    def done(self):
        if self.at != len(self.data):
            raise Fault(f"{len(self.data) - self.at} bytes after the end of a body")


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(value):
    data = value.encode()
    return varint(len(data)) + data


def metadata(entries):
    return varint(len(entries)) + b"".join(text(name) + text(value) for name, value in entries.items())


def reason(code, message):
    return bytes([CODES.index(code) + 1]) + text(message)


def frame(kind, number, body=b""):
    rest = bytes([kind]) + varint(number) + body
    return struct.pack(">I", len(rest)) + rest


def preface(fields):
    data = json.dumps(fields).encode()
    return MAGIC + struct.pack(">I", len(data)) + data


def preface_length(data):
    """How many bytes the preface takes that begins here, or None until that is known."""
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise Fault(f"no preface: {bytes(data[:8]).hex()}")
    if len(data) < 12:
        return None
    (length,) = struct.unpack(">I", data[8:12])
    if length > MAX_PREFACE:
        raise Fault(f"a preface of {length} bytes")
    return 12 + length


def parse_preface(data):
    """Reads a whole preface; its limits are made those in force where they are left out."""
    try:
        fields = json.loads(utf8(data[12:], "a preface"))
    except json.JSONDecodeError as error:
        raise Fault(f"a preface that is no JSON: {error}") from None
    if not isinstance(fields, dict):
        raise Fault("a preface that is no object")
    for name, least in (("maxFrameBytes", 4096), ("streamWindowBytes", 65536), ("connectionWindowBytes", 65536)):
        given = fields.setdefault(name, least)
        if not isinstance(given, int) or given < least:
            raise Fault(f"{name} must be a number of at least {least}, got {given!r}")
    for name in ("versions", "codecs", "features"):
        if not isinstance(fields.setdefault(name, []), list):
            raise Fault(f"{name} must be a list")
    return fields


def parse_call(data):
    """The body of a CALL, up to its arguments, which stay bytes in `value`."""
    body = Body(data)
    flags, method = body.u8(), body.varint()
    call = {"form": flags & 3, "oneway": bool(flags & 8), "bounded": bool(flags & 0x20), "number": method}
    if call["form"] == 3:
        raise Fault("form 3 of arguments")
    if method < 2:
        call["service"], call["method"] = body.text(MAX_NAME), body.text(MAX_NAME)
    if flags & 0x10:
        call["timeoutMs"] = body.varint()
    if flags & 4:
        call["stream"] = body.text() if call["form"] == 1 else body.varint()
    if flags & 0x40:
        call["metadata"] = body.metadata()
    if flags & 0x80:
        more = body.u8()
        if more & 1:
            call["attempt"] = body.varint()
            if call["attempt"] < 2:
                raise Fault(f"attempt {call['attempt']} is on the wire only from 2 on")
        if more & 2:
            call["key"] = body.text()
        if more & ~3:
            raise Fault(f"unknown flags {more:#x} of a call")
    call["value"] = body.rest()
    return call


def build_call(call, value):
    form = call.get("form", 0)
    more = (1 if "attempt" in call else 0) | (2 if "key" in call else 0)
    flags = form | (4 if "stream" in call else 0) | (8 if call.get("oneway") else 0)
    flags |= (0x10 if "timeoutMs" in call else 0) | (0x20 if call.get("bounded") else 0)
    flags |= (0x40 if "metadata" in call else 0) | (0x80 if more else 0)
    out = bytes([flags]) + varint(call["number"])
    if call["number"] < 2:
        out += text(call["service"]) + text(call["method"])
    if "timeoutMs" in call:
        out += varint(call["timeoutMs"])
    if "stream" in call:
        out += text(call["stream"]) if form == 1 else varint(call["stream"])
    if "metadata" in call:
        out += metadata(call["metadata"])
    if more:
        out += bytes([more])
        out += varint(call["attempt"]) if "attempt" in call else b""
        out += text(call["key"]) if "key" in call else b""
    return out + value


def parse_answer(kind, data):
    """The body of REPLY, ERROR, HEAD or END; the value of the first two stays bytes in `value`."""
    body = Body(data)
    flags = body.u8()
    known = 0x0F if kind == ERROR else 0x03
    if flags & ~known:
        raise Fault(f"unknown flags {flags:#x}")
    answer = {}
    if flags & 1:
        answer["head"] = body.metadata()
    if flags & 2:
        answer["trailer"] = body.metadata()
    if kind == ERROR:
        answer.update(body.reason())
        answer["notExecuted"] = bool(flags & 4)
    if kind == REPLY or (kind == ERROR and flags & 8):
        answer["value"] = body.rest()
    body.done()
    return answer


def parse_method(data):
    body = Body(data)
    flags = body.u8()
    info = {"idempotent": bool(flags & 1), "takesStream": bool(flags & 2), "givesStream": bool(flags & 4)}
    if flags & ~0x0F:
        raise Fault(f"unknown flags {flags:#x} of a method")
    if flags & 8:
        count = body.varint()
        if count > 256:
            raise Fault(f"{count} parameters")
        info["params"] = [body.text() for _ in range(count)]
    body.done()
    return info
