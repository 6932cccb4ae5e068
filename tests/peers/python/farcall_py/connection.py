"""One connection, from either side: frames out (cut, and within credit), frames in (put together, credit given back)."""

import asyncio

from . import frames as f
from . import json_codec, msgpack_codec
from .values import Fault

CODECS = {"json": json_codec, "msgpack": msgpack_codec}
MAX_ASSEMBLIES = 4
# Credit is given when so much was taken; 32,768 is the most.
CREDIT_EVERY = 16384
# What is said in our own preface. Small windows and frames, so that a test of a megabyte meets all of the rules.
OFFER = {
    "maxFrameBytes": 16384,
    "maxMessageBytes": 8 * 2**20,
    "maxCalls": 100,
    "maxStreams": 100,
    "streamWindowBytes": 65536,
    "connectionWindowBytes": 131072,
}


class Credit:
    """What may still be sent, of a stream or of the connection."""

    def __init__(self, bytes_):
        self.bytes = bytes_
        # What was spent and has not come back; once `ended`, it has returned to the connection.
        self.spent, self.ended = 0, False


class Connection:
    def __init__(self, reader, writer, offer):
        self.reader, self.writer, self.offer = reader, writer, offer
        self.codec = None
        # Until the other side's preface has come, the least is all that may be assumed.
        self.peer = {"maxFrameBytes": f.LEAST_FRAME, "streamWindowBytes": f.LEAST_WINDOW}
        self.credit = Credit(f.LEAST_WINDOW)
        # Set when credit came, or something ended: whoever waits for either looks again.
        self.changed = asyncio.Event()
        self.cutting = asyncio.Semaphore(MAX_ASSEMBLIES)
        self.incoming = {}
        # Credit of items that were taken, by the id of their call, until there is enough for a CREDIT.
        self.owed = {}
        # How many messages in parts had something else of their call come in their place.
        self.given_up = 0
        self.closed_by_us = False
        # Our direction has ended; nothing more can be sent, and nobody waits for it.
        self.ended = False

    def meet(self, fields):
        self.peer = fields
        self.credit.bytes += fields["connectionWindowBytes"] - f.LEAST_WINDOW
        self.changed.set()

    def add_credit(self, credit, bytes_):
        """CREDIT has come for a stream."""
        if credit.ended:
            return
        for one in (credit, self.credit):
            one.bytes += bytes_
        credit.spent -= bytes_
        self.changed.set()

    def spend(self, credit, bytes_):
        for one in (credit, self.credit):
            one.bytes -= bytes_
        credit.spent += bytes_

    def end_stream(self, credit):
        """A stream that we send has ended, in whatever way: what it has not got back returns to the connection."""
        if credit.ended:
            return
        credit.ended = True
        self.credit.bytes += credit.spent
        self.changed.set()

    async def read_preface(self):
        head = await self.reader.readexactly(12)
        return f.parse_preface(head + await self.reader.readexactly(f.preface_length(head) - 12))

    def send(self, kind, number, body=b""):
        self.writer.write(f.frame(kind, number, body))

    async def send_message(self, kind, number, body, kept=lambda: True):
        """Sends a message, in parts if it must be; stops in the middle when it is no longer `kept`."""
        head = 1 + len(f.varint(number))
        most = self.peer["maxFrameBytes"] - head
        if len(body) <= most:
            self.send(kind, number, body)
            await self.writer.drain()
            return
        async with self.cutting:
            for at in range(0, len(body) - most, most):
                if not kept():
                    return
                self.send(f.PART, number, body[at : at + most])
                await self.writer.drain()
                rest = at + most
            if kept():
                self.send(kind + f.WHOLE, number, body[rest:])

    async def send_item(self, number, credit, value):
        """Sends an item when there is credit; none of it, or no more of it, once its stream has ended."""
        body = self.codec.encode(value)
        while not credit.ended and (credit.bytes <= 0 or self.credit.bytes <= 0):
            self.changed.clear()
            await self.changed.wait()
        if credit.ended:
            return
        self.spend(credit, len(body) + 8)
        await self.send_message(f.ITEM, number, body, lambda: not credit.ended)

    def taken(self, number, cost):
        """An item of a stream that goes on was taken."""
        self.owed[number] = self.owed.get(number, 0) + cost
        # Of all streams together: many that each keep a little could keep all that the connection has.
        if sum(self.owed.values()) >= CREDIT_EVERY:
            for stream, owed in self.owed.items():
                self.send(f.CREDIT, stream, f.varint(owed))
            self.owed.clear()

    def forget(self, number):
        """A call is over: what came of a message of it will never be whole, and it gets no more credit."""
        self.incoming.pop(number, None)
        self.owed.pop(number, None)

    async def frames(self, on_part):
        """
        The frames that matter to calls, whole messages only, until the other side ends. `on_part` is asked whether a
        part is of a call that goes on.
        """
        while True:
            try:
                length = int.from_bytes(await self.reader.readexactly(4), "big")
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise Fault("the connection ends in the middle of a frame") from None
                return
            if not 2 <= length <= self.offer["maxFrameBytes"]:
                raise Fault(f"a frame of {length} bytes")
            data = await self.reader.readexactly(length)
            number, start = msgpack_codec.varint(data, 1)
            (kind, whole), body = f.whole(data[0]), data[start:]
            if kind == f.PING:
                if not self.ended:
                    self.send(f.PONG, 0, body)
            elif kind == f.PART:
                if not on_part(number):
                    continue
                self.incoming.setdefault(number, bytearray()).extend(body)
                if len(self.incoming) > MAX_ASSEMBLIES or len(self.incoming[number]) > self.offer["maxMessageBytes"]:
                    raise Fault("too much under way in parts")
            elif kind == f.DEFINE:
                raise Fault("definitions, which we have not asked for")
            elif kind not in f.NAMES:
                if kind & 0x80:
                    raise Fault(f"a frame of type {kind}")
            else:
                parts = self.incoming.pop(number, b"") if whole or kind in f.REPLACING else b""
                self.given_up += 1 if parts and not whole else 0
                body = bytes(parts) + body if whole else body
                yield kind, number, body

    def close(self, code, message):
        self.closed_by_us = True
        self.send(f.CLOSE, 0, f.reason(code, message))

    async def end(self):
        """Ends our direction."""
        if self.writer.can_write_eof():
            self.ended = True
            self.writer.write_eof()
        await self.writer.drain()
