"""A client: one call, or `--repeat` of them one after the other, on one connection."""

import asyncio

from . import frames as f
from . import json_codec, msgpack_codec
from .connection import OFFER, Connection, Credit
from .values import Fault


def add_arguments(parser):
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("name", help="service.method")
    parser.add_argument("args", nargs="?", default="[]", help="a JSON list, or an object for named arguments")
    parser.add_argument("--codec", choices=("msgpack", "json"), default="msgpack")
    parser.add_argument("--timeout", type=int, metavar="MS", help="time-out of the call")
    parser.add_argument("--bounded", action="store_true", help="the time-out bounds a stream to its end")
    parser.add_argument("--send", metavar="ITEMS", help="JSON list of the items of the stream argument, which is null in args")
    parser.add_argument("--send-count", type=int, metavar="N", help="the same with the items 0 to N-1")
    parser.add_argument("--endless", action="store_true", help="the argument does not end by itself")
    parser.add_argument("--cancel-after", type=int, metavar="N", help="cancel after N items; 0: as soon as `cancel` is read")
    parser.add_argument("--cancel-in-item", action="store_true", help="cancel as soon as a part of an item has come")
    parser.add_argument("--pause", type=int, metavar="MS", help="read nothing for so long behind each HEAD")
    parser.add_argument("--window", type=int, metavar="BYTES", help="what we take ahead, of a stream and in all")
    parser.add_argument("--metadata", default="{}", metavar="JSON")
    parser.add_argument("--one-way", action="store_true")
    parser.add_argument("--repeat", type=int, default=1, metavar="N")
    parser.add_argument("--eager", action="store_true", help="call right behind the preface, not waiting for the server's")
    parser.add_argument("--versions", default="[1]", metavar="JSON")
    parser.add_argument("--half-close", action="store_true", help="end our direction as soon as all is sent")


class Made:
    """A call that was made."""

    def __init__(self, number, window):
        self.number, self.credit = number, Credit(window)
        self.over = asyncio.Event()
        self.argument_wanted, self.items, self.head = True, 0, False


async def run(options, tell):
    reader, writer = await asyncio.open_connection(options.host, options.port)
    offer = {"versions": json_codec.json.loads(options.versions), "codecs": [options.codec], "features": [], **OFFER}
    if options.window is not None:
        offer["streamWindowBytes"] = offer["connectionWindowBytes"] = options.window
    connection = Connection(reader, writer, offer)
    connection.codec = json_codec if options.codec == "json" else msgpack_codec
    writer.write(f.preface(offer))
    client = Client(connection, options, tell)
    greeted = asyncio.Event()
    reading = asyncio.create_task(client.read(greeted))
    if not options.eager:
        await asyncio.wait([reading, asyncio.create_task(greeted.wait())], return_when=asyncio.FIRST_COMPLETED)
    if not reading.done():
        await asyncio.wait([reading, asyncio.create_task(client.calls())], return_when=asyncio.FIRST_COMPLETED)
        if not options.half_close and not reading.done():
            await connection.end()
    try:
        await reading
    except Fault as fault:
        tell({"type": "fault", "why": str(fault)})
        return 1
    tell({"type": "closed", "givenUp": connection.given_up})
    writer.close()
    return 0 if client.fine else 1


class Client:
    def __init__(self, connection, options, tell):
        self.connection, self.options, self.tell = connection, options, tell
        self.made, self.last, self.defined, self.fine = {}, 0, {}, True

    async def calls(self):
        for _ in range(self.options.repeat):
            call = await self.call()
            if call is not None:
                await call.over.wait()

    async def call(self):
        options, connection = self.options, self.connection
        service, _, method = options.name.rpartition(".")
        args = json_codec.decode(options.args.encode())
        self.last += 1
        said = {"service": service, "method": method, "form": 1 if isinstance(args, dict) else 0}
        said["oneway"], said["bounded"] = options.one_way, options.bounded
        if options.timeout is not None:
            said["timeoutMs"] = options.timeout
        metadata = json_codec.json.loads(options.metadata)
        if metadata:
            said["metadata"] = metadata
        items = self.items()
        if items is not None:
            said["stream"] = next(at for at, arg in (args.items() if said["form"] else enumerate(args)) if arg is None)
        value = connection.codec.encode(args)
        # A call in parts must not define; one that is this near to the limit is not worth a closer look.
        in_parts = len(value) + 1024 > connection.peer["maxFrameBytes"]
        said["number"] = 1 if in_parts else self.defined.get(options.name, 0)
        if said["number"] == 0:
            self.defined[options.name] = len(self.defined) + 2
        call = Made(self.last, connection.peer["streamWindowBytes"])
        self.made[call.number] = call
        await connection.send_message(f.CALL, call.number, f.build_call(said, value))
        self.tell({"type": "called", "id": call.number})
        if options.cancel_after == 0:
            await asyncio.to_thread(input)
            self.cancel(call)
        if items is not None:
            sending = asyncio.create_task(self.send_items(call, items))
            await asyncio.wait([sending, asyncio.create_task(call.over.wait())], return_when=asyncio.FIRST_COMPLETED)
        if options.half_close:
            await connection.end()
        return None if options.one_way else call

    def items(self):
        options = self.options
        if options.send is not None:
            return json_codec.decode(options.send.encode())
        return None if options.send_count is None else range(options.send_count)

    async def send_items(self, call, items):
        for item in items:
            if call.credit.ended:
                break
            await self.connection.send_item(call.number, call.credit, item)
        if not call.credit.ended and not self.options.endless:
            self.connection.send(f.END, call.number, b"\0")
            self.connection.end_stream(call.credit)
        if not call.argument_wanted:
            self.tell({"type": "argument stopped"})

    def cancel(self, call):
        self.connection.send(f.CANCEL, call.number, f.reason("cancelled", "nobody waits any more"))
        self.tell({"type": "cancelled", "id": call.number})
        self.end(call)

    def end(self, call):
        self.connection.end_stream(call.credit)
        self.connection.forget(call.number)
        call.over.set()

    async def read(self, greeted):
        connection = self.connection
        fields = await connection.read_preface()
        self.tell({"type": "preface", "fields": fields})
        if "refused" in fields:
            self.fine = False
        else:
            connection.meet(fields)
            greeted.set()
        async for kind, number, body in connection.frames(self.part):
            self.frame(kind, number, body)
            if kind == f.HEAD and self.options.pause is not None:
                await asyncio.sleep(self.options.pause / 1000)

    def part(self, number):
        call = self.made.get(number)
        if call is None:
            raise Fault(f"a part for call {number}, which was not made")
        if not call.over.is_set() and self.options.cancel_in_item:
            self.cancel(call)
        return not call.over.is_set()

    def frame(self, kind, number, body):
        line = {"type": f.NAMES[kind]}
        if kind in (f.DRAIN, f.CLOSE):
            self.tell({**line, "id": number} if kind == f.DRAIN else {**line, **f.Body(body).reason()})
            return
        if kind == f.METHOD:
            self.tell({**line, "number": number, **f.parse_method(body)})
            return
        if kind == f.PONG:
            return
        call = self.made.get(number)
        if call is None:
            raise Fault(f"{f.NAMES[kind]} for call {number}, which was not made")
        if call.over.is_set():
            # It was on its way.
            return
        if kind == f.CREDIT:
            self.connection.add_credit(call.credit, f.Body(body).varint())
        elif kind == f.CANCEL:
            call.argument_wanted = False
            self.connection.end_stream(call.credit)
        elif kind == f.ITEM:
            self.item(call, body)
        else:
            answer = f.parse_answer(kind, body)
            if "value" in answer:
                answer["value"] = json_codec.to_json(self.connection.codec.decode(answer["value"]), 64)
            self.tell({**line, "id": number, **answer})
            if kind == f.HEAD:
                call.head = True
            else:
                self.fine = self.fine and kind != f.ERROR
                self.end(call)

    def item(self, call, body):
        if not call.head:
            raise Fault("an ITEM before HEAD")
        value = self.connection.codec.decode(body)
        self.connection.taken(call.number, len(body) + 8)
        call.items += 1
        self.tell({"type": "item", "id": call.number, "value": json_codec.to_json(value, 64)})
        if call.items == self.options.cancel_after:
            self.cancel(call)
