"""Checks a recorded connection against everything that SPEC.md says must be, and tells what was said on it."""

from . import frames as f
from . import json_codec, msgpack_codec
from .connection import CODECS
from .recorded import Assembly, CountingShapes, Recorded, Side, check_hole, chosen_codec
from .values import Fault

MAX_ASSEMBLIES = 4
# Whose id is that of a call.
OF_CALLS = {f.REPLY, f.ERROR, f.HEAD, f.ITEM, f.END, f.CREDIT, f.PART}


class Capture:
    """Takes the bytes of both directions in the order in which they passed; gives each message to `tell`."""

    def __init__(self, tell):
        self.tell = tell
        self.client, self.server = Side("client"), Side("server")
        self.codec = self.codec_name = None
        self.calls = {}
        self.methods = {}
        self.next_method = 2
        self.draining = self.refused = None
        self.faults = 0

    def other(self, side):
        return self.server if side is self.client else self.client

    def fault(self, side, why):
        self.faults += 1
        self.tell({"type": "fault", "from": side.name, "at": side.at, "why": why})

    def feed(self, name, data):
        side = self.client if name == "client" else self.server
        if side.ended:
            raise Fault(f"the {name} sends after the end")
        side.buffer += data
        while self.step(side):
            pass

    def end(self, name):
        side = self.client if name == "client" else self.server
        if side.buffer:
            self.fault(side, f"ends in the middle of a frame, after {len(side.buffer)} bytes of it")
        side.ended = True

    def step(self, side):
        if side.preface is None:
            return self.read_preface(side)
        held = side.buffer
        if len(held) < 4:
            return False
        length = int.from_bytes(held[:4], "big")
        self.check_length(side, length)
        if side.begun is None and len(held) >= 4 + min(length, 10):
            number, _ = msgpack_codec.varint(bytes(held[5 : 4 + min(length, 10)]), 0)
            side.begun = self.credit(side, number)
        if len(held) < 4 + length:
            return False
        data = bytes(held[4 : 4 + length])
        del held[: 4 + length]
        number, start = msgpack_codec.varint(data, 1)
        side.counts["frames"] += 1
        side.counts["largest"] = max(side.counts["largest"], length)
        if side.closed:
            self.fault(side, "a frame after CLOSE")
        try:
            self.frame(side, data[0], number, data[start:])
        except Fault as fault:
            self.fault(side, f"{f.NAMES.get(f.whole(data[0])[0], data[0])} {number}: {fault}")
        side.begun = None
        side.at += 4 + length
        return True

    def credit(self, side, number):
        """
        What an item may be begun with. Nobody is wronged: what passes here has been sent before, and what gives credit
        has not arrived yet, so the sender knew of no more.
        """
        call = self.calls.get(number)
        return side.credit if call is None else min(call.credit[side.name], side.credit)

    def read_preface(self, side):
        length = f.preface_length(side.buffer)
        if length is None or len(side.buffer) < length:
            return False
        if side is self.server and self.client.preface is None:
            raise Fault("the server's preface comes before the client's")
        side.preface = f.parse_preface(bytes(side.buffer[:length]))
        del side.buffer[:length]
        side.at += length
        self.tell({"type": "preface", "from": side.name, "fields": side.preface})
        if side is self.client:
            self.codec_name = chosen_codec(side.preface)
            self.codec = CODECS[self.codec_name]
        else:
            self.read_choice(side.preface)
        # The windows that one side names are the credit of the other.
        self.other(side).credit += side.preface["connectionWindowBytes"] - f.LEAST_WINDOW
        return True

    def read_choice(self, choice):
        if "refused" in choice:
            self.refused = choice["refused"]
            return
        offer = self.client.preface
        if len(choice["versions"]) != 1 or choice["versions"][0] not in offer["versions"]:
            self.fault(self.server, f"chooses versions {choice['versions']} of {offer['versions']}")
        if choice["codecs"] != [self.codec_name]:
            self.fault(self.server, f"chooses codecs {choice['codecs']}, the client uses {self.codec_name}")

    def check_length(self, side, length):
        to = self.other(side).preface
        most = f.LEAST_FRAME if to is None else to["maxFrameBytes"]
        if not 2 <= length <= most:
            raise Fault(f"a frame of {length} bytes; 2 to {most} are allowed")

    def frame(self, side, kind, number, body):
        kind, whole = f.whole(kind)
        allowed = f.FROM_CLIENT if side is self.client else f.FROM_SERVER
        if kind not in f.NAMES:
            if kind & 0x80:
                raise Fault("an unknown frame that closes the connection")
            return
        if kind not in allowed:
            raise Fault(f"a {side.name} must not send it")
        if kind in f.CONNECTION_ONLY and number != 0:
            raise Fault("its id must be 0")
        if self.refused is not None and side is self.server and kind != f.CLOSE:
            raise Fault("a server that has refused sends only CLOSE")
        line = {"type": f.NAMES[kind], "from": side.name}
        if number:
            line["id"] = number
        call = self.calls.get(number)
        if kind in OF_CALLS and call is not None and call.ignores(side.name, kind):
            if kind != f.PART:
                self.tell({**line, "late": True})
            return
        if kind == f.PART:
            return self.part(side, number, body)
        message = side.assemblies.pop(number, None) if whole or kind in f.REPLACING else None
        if whole:
            if message is None:
                raise Fault("it ends a message of which no part has come")
            body = bytes(message.body) + body
            line["parts"] = message.parts
        elif message is not None:
            line["givenUp"] = message.parts
            message = None
        more = (message,) if kind in f.CUTTABLE else ()
        told = getattr(self, f"on_{f.NAMES[kind]}")(side, number, body, *more)
        self.tell({**line, **(told or {})})

    def part(self, side, number, body):
        side.counts["parts"] += 1
        call = self.calls.get(number)
        if call is None:
            call = self.begin_call(side, number)
        elif side is self.client and (call.parsed is not None or call.cancelled):
            self.check_argument(call)
        elif side is self.server and call.answered:
            raise Fault("the call has been answered already")
        held = side.assemblies.get(number)
        if held is None:
            held = side.assemblies[number] = Assembly(list(side.shapes.names), side.begun)
            side.counts["assemblies"] = max(side.counts["assemblies"], len(side.assemblies))
            if len(side.assemblies) > MAX_ASSEMBLIES:
                self.fault(side, f"{len(side.assemblies)} messages under way in parts")
        held.parts += 1
        held.body += body

    def end_stream(self, side, call):
        """The credit of a stream that ends returns to the connection; its parts are dropped. Before the call says so."""
        if call.streams(side.name):
            side.credit += call.spent[side.name] - call.given[side.name]
        side.assemblies.pop(call.number, None)

    def begin_call(self, side, number):
        if side is self.server:
            raise Fault("the client has not made that call")
        if number == 0 or number in self.calls:
            raise Fault("the id was used before")
        # A client that knows the server's windows may use them; those opened before have the least.
        up = f.LEAST_WINDOW if self.server.preface is None else self.server.preface["streamWindowBytes"]
        self.calls[number] = Recorded(number, up, self.client.preface["streamWindowBytes"])
        return self.calls[number]

    def call_of(self, side, number):
        call = self.calls.get(number)
        if call is None:
            raise Fault("there is no such call")
        return call

    def decode(self, side, data, message):
        shapes = side.shapes.names if message is None else message.shapes
        value = self.codec.decode(data, CountingShapes(shapes, side.counts))
        return json_codec.to_json(value, 200)

    # What each frame must be, and what is to be told of it.

    def on_call(self, side, number, body, message):
        in_parts = message is not None
        call = self.calls[number] if in_parts else self.begin_call(side, number)
        if call.parsed is not None:
            raise Fault("the CALL has come before")
        parsed = f.parse_call(body)
        call.parsed = parsed
        self.name_method(parsed, in_parts)
        value = self.decode(side, parsed.pop("value"), message)
        if parsed["form"] == 0 and not isinstance(value, list):
            raise Fault("arguments in form 0 must be a list")
        if parsed["form"] == 1 and not isinstance(value, dict):
            raise Fault("arguments in form 1 must be an object")
        if "stream" in parsed:
            check_hole(parsed, value)
        return {**parsed, "args": value}

    def name_method(self, parsed, in_parts):
        number = parsed["number"]
        if number == 0:
            if in_parts:
                raise Fault("a call in parts must not define its method")
            if self.next_method > f.MAX_METHODS + 1:
                raise Fault(f"more than {f.MAX_METHODS} methods are numbered")
            self.methods[self.next_method] = (parsed["service"], parsed["method"])
            self.next_method += 1
        elif number > 1:
            if number not in self.methods:
                raise Fault(f"method {number} is not defined")
            parsed["service"], parsed["method"] = self.methods[number]

    def answer(self, side, number, kind, body, message=None):
        call = self.call_of(side, number)
        if call.answered:
            raise Fault("the call has been answered already")
        if call.parsed is not None and call.parsed["oneway"]:
            raise Fault("a one-way call is not answered")
        if call.parsed is None and number not in self.client.assemblies:
            raise Fault("the call has not come")
        told = f.parse_answer(kind, body)
        if "value" in told:
            told["value"] = self.decode(side, told["value"], message)
        return call, told

    def on_reply(self, side, number, body, message):
        call, told = self.answer(side, number, f.REPLY, body, message)
        if call.head:
            raise Fault("a REPLY after HEAD")
        self.finish(call)
        return told

    def on_error(self, side, number, body, message):
        call, told = self.answer(side, number, f.ERROR, body, message)
        if call.head and told["notExecuted"]:
            raise Fault("a stream that has begun says that it was not executed")
        if self.draining is not None and number > self.draining and not told["notExecuted"]:
            raise Fault("a call beyond DRAIN is refused without saying that it was not executed")
        if "value" in told:
            extra = told.pop("value")
            if not isinstance(extra, dict) or not extra.keys() <= {"reason", "details", "metadata"}:
                raise Fault(f"the value of an ERROR is {extra!r}")
            told["extra"] = extra
        self.finish(call)
        return told

    def on_head(self, side, number, body):
        call, told = self.answer(side, number, f.HEAD, body)
        if call.head:
            raise Fault("a second HEAD")
        if "trailer" in told:
            raise Fault("trailer metadata in HEAD")
        call.head = True
        return told

    def on_item(self, side, number, body, message):
        call = self.call_of(side, number)
        if side is self.server:
            if not call.head:
                raise Fault("an ITEM before HEAD")
            if call.answered:
                raise Fault("an ITEM after the end of the stream")
        else:
            self.check_argument(call)
        credit = side.begun if message is None else message.credit
        if credit <= 0:
            self.fault(side, f"ITEM {number} begins with a credit of {credit}")
        cost = len(body) + 8
        call.credit[side.name] -= cost
        call.spent[side.name] += cost
        side.credit, side.spent = side.credit - cost, side.spent + cost
        return {"value": self.decode(side, body, message), "bytes": len(body)}

    def check_argument(self, call):
        for wrong, why in (
            (call.cancelled, "the client has cancelled the call"),
            (call.parsed is None, "it comes before the whole CALL"),
            ("stream" not in (call.parsed or {}), "the call has no stream argument"),
            (call.argument_ended, "the argument has ended"),
        ):
            if wrong:
                raise Fault(why)

    def on_end(self, side, number, body):
        if side is self.server:
            call, told = self.answer(side, number, f.END, body)
            if not call.head:
                raise Fault("an END before HEAD")
            self.finish(call)
            return told
        call = self.call_of(side, number)
        self.check_argument(call)
        self.end_stream(side, call)
        call.argument_ended = True
        return f.parse_answer(f.END, body)

    def finish(self, call):
        self.end_stream(self.client, call)
        self.end_stream(self.server, call)
        call.answered = True

    def on_cancel(self, side, number, body):
        told = f.Body(body)
        reason = told.reason()
        told.done()
        call = self.call_of(side, number)
        if side is self.client:
            if call.cancelled:
                raise Fault("cancelled twice")
            self.end_stream(self.client, call)
            self.end_stream(self.server, call)
            call.cancelled = True
        elif call.answered:
            raise Fault("the server cancels a call that has ended")
        elif call.parsed is None or "stream" not in call.parsed:
            raise Fault("the server cancels a call without a stream argument")
        else:
            self.end_stream(self.client, call)
            call.argument_refused = True
        return reason

    def on_credit(self, side, number, body):
        told = f.Body(body)
        given = told.varint()
        told.done()
        to = self.other(side)
        call = self.call_of(side, number)
        to.credit, to.given = to.credit + given, to.given + given
        call.credit[to.name] += given
        call.given[to.name] += given
        if call.given[to.name] > call.spent[to.name]:
            self.fault(side, f"{call.given[to.name]} bytes are given back, {call.spent[to.name]} were spent")
        return {"bytes": given}

    def on_ping(self, side, number, body):
        if len(body) > 8:
            raise Fault(f"a PING of {len(body)} bytes")
        side.pings.append(body)
        return {"bytes": body.hex()}

    def on_pong(self, side, number, body):
        pings = self.other(side).pings
        if not pings or pings.pop(0) != body:
            raise Fault("a PONG that answers no PING")
        return {"bytes": body.hex()}

    def on_drain(self, side, number, body):
        if self.draining is not None and number > self.draining:
            raise Fault("a later DRAIN accepts more")
        self.draining = number
        return {"accepted": number}

    def on_method(self, side, number, body):
        if number not in self.methods:
            raise Fault("no call has defined that method")
        service, method = self.methods[number]
        return {"service": service, "method": method, **f.parse_method(body)}

    def on_define(self, side, number, body):
        for one in (self.client, self.server):
            if one.preface is None or "definitions" not in one.preface["features"]:
                raise Fault(f"the {one.name} does not take definitions")
        if self.codec_name != "msgpack":
            raise Fault(f"the codec {self.codec_name} has no definitions")
        new = side.shapes.define(body)
        side.counts["definitions"] += len(new)
        return {"shapes": new}

    def on_close(self, side, number, body):
        told = f.Body(body)
        side.closed = True
        reason = told.reason()
        told.done()
        return reason

    def summary(self):
        """What is left at the end. `open` has the calls that have not ended, `unanswered` the PINGs without PONG."""
        open_calls = [number for number, call in self.calls.items() if not call.over]
        sides = {side.name: side.summary() for side in (self.client, self.server)}
        self.tell({"type": "summary", "faults": self.faults, "open": open_calls, **sides})
