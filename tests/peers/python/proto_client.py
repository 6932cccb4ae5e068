"""A client of the protobuf lab, written from its document; needs Python's `protobuf`.

Reads one request per line as JSON, `{"type", "service", "args", "field", "server"}`, of which `type` is `call` if it is
left out, and `field` the bare name of the service. Prints one JSON object per response, as they come, in the same order.
What the `.proto` has no place for is left out: without `args` nothing is set in a call's field.

Requests go to the server at `-i` and `-p`; with `--discover` a call first asks the registry there, and goes to a server
by chance. With `--at-once` all are sent at the same time, each in a thread; with `--slowly` byte by byte.
"""

import argparse
import json
import random
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import proto_wire


class ClientStub:
    def __init__(self, messages, options):
        self.Request, self.Response = messages["Request"], messages["Response"]
        self.options = options
        self.address = (options.host, options.port)

    def ask(self, asked):
        if asked.get("raw") is not None:
            return self.send_raw(self.address, bytes.fromhex(asked["raw"]))
        if asked.get("type", "call") != "call":
            return self.connect(self.address, asked, ("timeout", "error"))
        if not self.options.discover:
            return self.connect(self.address, asked, ("timeout",))
        found = self.connect(self.address, {"type": "discover", "service": asked["service"]}, ("timeout",))
        if found.type != "success":
            return found
        server = random.choice(found.servers)
        return self.connect((server.host, server.port), asked, ("timeout",))

    def connect(self, address, asked, repeat_on):
        if self.options.slowly:
            return self.send_raw(address, self.request(asked).SerializeToString())
        return proto_wire.retrying(
            address, lambda: self.request(asked), self.Response, repeat_on, self.options.patience
        )

    def request(self, asked):
        request = self.Request(type=asked.get("type", "call"), service_name=asked.get("service", ""))
        request.time = proto_wire.now()
        if "server" in asked:
            request.server.host, request.server.port = asked["server"]
        if "args" in asked:
            field = getattr(request, asked.get("field", asked["service"].rsplit(".", 1)[-1]))
            field.SetInParent()
            for name, value in asked["args"].items():
                setattr(field, name, value * asked.get("repeat", 1) if isinstance(value, str) else value)
        return request

    def send_raw(self, address, data):
        response = self.Response()
        with socket.create_connection(address, timeout=self.options.patience) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(len(data)):
                sock.sendall(data[at : at + 1])
                time.sleep(0.001)
            response.ParseFromString(proto_wire.receive_all(sock))
        return response


def show(message):
    shown = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type is None:
            shown[field.name] = value if isinstance(value, (str, int, float, bool)) else list(value)
        elif isinstance(value, type(message)) or hasattr(value, "DESCRIPTOR"):
            if message.HasField(field.name):
                shown[field.name] = show(value)
        else:
            shown[field.name] = [show(item) for item in value]
    return shown


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-i", "--host", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int, required=True)
    parser.add_argument("--proto", default="rpc.proto")
    parser.add_argument("--discover", action="store_true")
    parser.add_argument("--at-once", action="store_true")
    parser.add_argument("--slowly", action="store_true")
    parser.add_argument("--patience", type=float, default=10)
    options = parser.parse_args()
    stub = ClientStub(proto_wire.load(options.proto), options)

    def answer(line):
        return json.dumps(show(stub.ask(json.loads(line))))

    if options.at_once:
        lines = sys.stdin.readlines()
        with ThreadPoolExecutor(max(1, len(lines))) as pool:
            for shown in pool.map(answer, lines):
                print(shown, flush=True)
    else:
        for line in sys.stdin:
            print(answer(line), flush=True)


if __name__ == "__main__":
    main()
