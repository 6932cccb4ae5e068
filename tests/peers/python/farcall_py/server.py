"""A server of one service, `test`: add, echo, count, total, fail, slow."""

import asyncio

from . import frames as f
from . import json_codec, msgpack_codec
from .connection import CODECS, OFFER, Connection, Credit
from .values import Fault


def add_arguments(parser):
    parser.add_argument("--codec", action="append", choices=("msgpack", "json"), help="default: both")
    parser.add_argument("--ping", action="store_true", help="tell of every PING; answer as always")


class Failure(Exception):
    """What a method answers with on purpose."""

    def __init__(self, code, message, **extra):
        super().__init__(message)
        self.code, self.extra = code, extra


class Stream:
    """A stream argument: items that have come and were not taken yet."""

    def __init__(self, call):
        self.call, self.queue, self.ended = call, asyncio.Queue(), False

    def end(self):
        self.ended = True
        self.queue.put_nowait(None)

    def __aiter__(self):
        return self

    async def __anext__(self):
        body = await self.queue.get()
        if body is None:
            raise StopAsyncIteration
        # Of a stream that has ended everything has returned by itself.
        if not self.ended and not self.call.over:
            self.call.connection.taken(self.call.number, len(body) + 8)
        return self.call.connection.codec.decode(body)


class Answering:
    """A call that is being answered."""

    def __init__(self, connection, number, said, window):
        self.connection, self.number, self.said = connection, number, said
        self.credit = Credit(window)
        self.input = Stream(self)
        self.task = self.timer = None
        self.over = False
        # Set when a part of an item of the argument has come, and whether that makes us refuse the rest.
        self.part_came, self.refuses, self.parts = asyncio.Event(), False, 0

    @property
    def metadata(self):
        return self.said.get("metadata", {})


async def add(_call, a, b):
    return a + b


async def echo(call, *values):
    return values[0] if len(values) == 1 else list(values)


async def count(_call, upto):
    for number in range(upto):
        yield number


async def total(_call, numbers):
    found = 0
    async for number in numbers:
        found += number
    return found


async def first(_call, numbers):
    async for number in numbers:
        return number


async def double(_call, numbers):
    async for number in numbers:
        yield number * 2


async def fail(_call, code="failed_precondition", message="on purpose"):
    raise Failure(code, message, details={"why": [1, 2]}, reason="purpose")


async def fail_after(_call, upto):
    for number in range(upto):
        yield number
    raise Failure("aborted", "after some items")


async def torn(call, length, code):
    """Fails in the middle of an item; with no code it stays there until it is cancelled."""
    call.session.begin_item(call, length)
    if code is None:
        await slow(call)
    raise Failure(code, "in the middle of an item")
    yield


async def refuse(call, _numbers):
    """Refuses its argument in the middle of an item, then counts the parts that come when the client must know."""
    await call.part_came.wait()
    call.refuses = True
    call.connection.send(f.CANCEL, call.number, f.reason("cancelled", "that is enough"))
    call.connection.forget(call.number)
    await call.session.round_trip()
    before = call.parts
    await call.session.round_trip()
    return call.parts - before


async def slow(call):
    call.tell({"type": "slow", "is": "running"})
    try:
        await asyncio.Event().wait()
    finally:
        call.tell({"type": "slow", "is": "over"})


async def large(_call, length, times=1):
    for number in range(times):
        yield str(number) + "x" * length


async def seen(call):
    return {**call.metadata, "attempt": call.said.get("attempt", 1), "timeoutMs": call.said.get("timeoutMs")}


# Each with its parameters, and the flags of METHOD: 1 idempotent, 2 takes a stream, 4 gives one.
METHODS = {
    "add": (add, ["a", "b"], 1),
    "echo": (echo, ["value"], 1),
    "count": (count, ["upto"], 4),
    "total": (total, ["numbers"], 2),
    "first": (first, ["numbers"], 2),
    "double": (double, ["numbers"], 6),
    "fail": (fail, ["code", "message"], 1),
    "failAfter": (fail_after, ["upto"], 4),
    "torn": (torn, ["length", "code"], 4),
    "refuse": (refuse, ["numbers"], 2),
    "slow": (slow, [], 0),
    "large": (large, ["length", "times"], 4),
    "seen": (seen, [], 1),
}


async def run(options, tell):
    sessions = set()

    async def accept(reader, writer):
        session = Session(reader, writer, options, tell)
        sessions.add(session)
        try:
            await session.run()
        finally:
            sessions.discard(session)
            tell({"type": "disconnected"})

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    tell({"type": "listening", "port": server.sockets[0].getsockname()[1]})
    while True:
        word = await asyncio.to_thread(read_word)
        if word == "drain":
            for session in sessions:
                session.drain()
            tell({"type": "draining"})
        elif word == "ping":
            for session in sessions:
                session.connection.send(f.PING, 0, b"farcall?")
        elif word == "":
            return 0


def read_word():
    try:
        return input()
    except EOFError:
        return ""


class Session:
    """One connection of a client."""

    def __init__(self, reader, writer, options, tell):
        self.options, self.tell = options, tell
        self.codecs = options.codec or ["msgpack", "json"]
        self.connection = Connection(reader, writer, {"versions": [1], "features": [], **OFFER})
        self.used, self.methods, self.calls, self.draining = set(), {}, {}, False
        self.pongs = []

    async def run(self):
        connection = self.connection
        try:
            if await self.greet():
                async for kind, number, body in connection.frames(self.part):
                    await self.frame(kind, number, body)
        except Fault as fault:
            self.tell({"type": "fault", "why": str(fault)})
            connection.close("invalid_argument", str(fault))
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            self.tell({"type": "lost", "why": str(error)})
        for call in list(self.calls.values()):
            call.task.cancel()
        connection.writer.close()

    async def greet(self):
        connection = self.connection
        offered = await connection.read_preface()
        self.tell({"type": "preface", "fields": offered})
        if 1 not in offered["versions"] or not offered["codecs"] or offered["codecs"][0] not in self.codecs:
            refused = {"code": "unimplemented", "message": "speaks only version 1 with " + ", ".join(self.codecs)}
            answer = {**connection.offer, "codecs": self.codecs, "refused": refused}
            connection.writer.write(f.preface(answer))
            connection.close("unimplemented", refused["message"])
            return False
        connection.codec = CODECS[offered["codecs"][0]]
        connection.writer.write(f.preface({**connection.offer, "codecs": offered["codecs"][:1]}))
        connection.meet(offered)
        return True

    async def frame(self, kind, number, body):
        if kind == f.CALL:
            return self.start(number, body)
        if kind == f.PONG:
            if self.pongs:
                self.pongs.pop(0).set()
            return self.tell({"type": "pong", "body": body.decode()})
        if kind == f.CLOSE:
            return self.tell({"type": "close", **f.Body(body).reason()})
        call = self.calls.get(number)
        if call is None:
            if number not in self.used and not (kind == f.CANCEL and number in self.connection.incoming):
                raise Fault(f"{f.NAMES[kind]} for call {number}, which was not made")
            self.used.add(number)
            self.connection.forget(number)
        elif kind in (f.ITEM, f.END) and call.refuses:
            pass
        elif kind == f.ITEM:
            call.input.queue.put_nowait(body)
        elif kind == f.END:
            call.input.end()
        elif kind == f.CREDIT:
            self.connection.add_credit(call.credit, f.Body(body).varint())
        elif kind == f.CANCEL:
            self.finish(call)
            call.task.cancel()
            self.tell({"type": "cancel", "id": number, **f.Body(body).reason()})
        return None

    def part(self, number):
        call = self.calls.get(number)
        if call is not None:
            call.parts += 1
            call.part_came.set()
            return not call.refuses
        return number not in self.used

    async def round_trip(self):
        """Resolves when the client has read all that was sent so far."""
        answered = asyncio.Event()
        self.pongs.append(answered)
        self.connection.send(f.PING, 0, b"there?")
        await answered.wait()

    def begin_item(self, call, length):
        """Sends an item but for its last frame. It must not fit into one."""
        body = self.connection.codec.encode("x" * length)
        self.connection.spend(call.credit, len(body) + 8)
        for at in range(0, len(body) // 2, 4000):
            self.connection.send(f.PART, call.number, body[at : at + 4000])

    def start(self, number, body):
        if number in self.used:
            raise Fault(f"call {number} comes twice")
        self.used.add(number)
        said = f.parse_call(body)
        define = said["number"] == 0
        if define:
            said["number"] = len(self.methods) + 2
            self.methods[said["number"]] = (said["service"], said["method"])
        elif said["number"] > 1:
            if said["number"] not in self.methods:
                raise Fault(f"method {said['number']} is not defined")
            said["service"], said["method"] = self.methods[said["number"]]
        self.tell({"type": "call", "id": number, "name": f"{said['service']}.{said['method']}"})
        call = Answering(self.connection, number, said, self.connection.peer["streamWindowBytes"])
        call.tell, call.session = self.tell, self
        self.calls[number] = call
        known = METHODS.get(said["method"]) if said["service"] == "test" else None
        if define and known is not None:
            names = b"".join(map(f.text, known[1]))
            self.connection.send(f.METHOD, said["number"], bytes([known[2] | 8]) + f.varint(len(known[1])) + names)
        call.task = asyncio.create_task(self.answer(call, known))

    def deadline(self, call):
        # It takes the place of what is under way in parts.
        self.error(call, "deadline_exceeded", "the time-out of the call has passed")
        call.task.cancel()

    def arguments(self, call):
        args = self.connection.codec.decode(call.said["value"])
        where = call.said.get("stream")
        if where is not None:
            args[where] = call.input
        return args

    async def answer(self, call, known):
        if "timeoutMs" in call.said:
            call.timer = asyncio.get_running_loop().call_later(call.said["timeoutMs"] / 1000, self.deadline, call)
        try:
            if self.draining:
                return self.error(call, "unavailable", "the server drains", not_executed=True)
            if known is None:
                return self.error(call, "not_found", f"there is no {call.said['method']}", not_executed=True)
            args = self.arguments(call)
            named = dict(args) if call.said["form"] == 1 else {}
            made = known[0](call, *([] if named else args), **named)
            if hasattr(made, "__aiter__"):
                await self.stream(call, made)
            else:
                value = await made
                await self.message(call, f.REPLY, b"\0" + self.connection.codec.encode(value))
        except Failure as failure:
            self.error(call, failure.code, str(failure), failure.extra)
        except (TypeError, Fault) as error:
            self.error(call, "invalid_argument", str(error))
        finally:
            self.finish(call)

    async def stream(self, call, made):
        self.connection.send(f.HEAD, call.number, b"\1" + f.metadata({"kind": "stream"}))
        async for item in made:
            await self.connection.send_item(call.number, call.credit, item)
            if call.timer is not None and not call.said["bounded"]:
                call.timer.cancel()
        await self.message(call, f.END, b"\2" + f.metadata({"all": "sent"}))

    async def message(self, call, kind, body):
        if not call.over and not call.said["oneway"]:
            await self.connection.send_message(kind, call.number, body, lambda: not call.over)

    def error(self, call, code, message, extra=None, not_executed=False):
        if call.over or call.said["oneway"]:
            return
        flags = (4 if not_executed else 0) | (8 if extra else 0)
        value = self.connection.codec.encode(extra) if extra else b""
        self.connection.send(f.ERROR, call.number, bytes([flags]) + f.reason(code, message) + value)
        self.finish(call)

    def finish(self, call):
        if call.over:
            return
        call.over = True
        self.connection.end_stream(call.credit)
        self.connection.forget(call.number)
        if call.timer is not None:
            call.timer.cancel()
        self.calls.pop(call.number, None)

    def drain(self):
        self.draining = True
        self.connection.send(f.DRAIN, max(self.used, default=0))
