"""A server of the protobuf lab, written from its document; needs Python's `protobuf`.

A connection is one request, read with one `recv`, and one response. Services are found in a table by their bare names;
arguments and results are in the fields of that name. With `--registry` it registers each of them, sends heartbeats, and
registers again when it is asked to. Prints `listening on HOST:PORT`, then serves until it is stopped.
"""

import argparse
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import proto_wire


class ServerStub:
    def __init__(self, messages, options):
        self.Request, self.Response, self.Server = (messages[name] for name in ("Request", "Response", "Server"))
        self.options = options
        self.services = {}

    def register_service(self, name, function):
        self.services[name] = function

    def carry_out(self, data):
        response = self.Response(time=proto_wire.now())
        try:
            request = self.Request()
            request.ParseFromString(data)
        except Exception as error:  # pylint: disable=broad-except
            response.type, response.content = "error", f"cannot be read: {error}"
            return response
        if request.type != "call":
            response.type, response.content = "error", f"unknown type {request.type}"
        elif request.service_name not in self.services:
            response.type, response.content = "fail", f"service {request.service_name} does not exist"
        else:
            name = request.service_name
            try:
                arguments, result = getattr(request, name), getattr(response, name)
                result.SetInParent()
                self.services[name](arguments, result)
                response.type = "success"
            except Exception as error:  # pylint: disable=broad-except
                response.ClearField(name)
                response.type, response.content = "fail", f"{type(error).__name__}: {error}"
        return response

    def handle(self, sock):
        with sock:
            data = sock.recv(proto_wire.RECV_BYTES)
            while self.options.long and data and not self.is_whole(data):
                data += sock.recv(proto_wire.RECV_BYTES)
            sock.sendall(self.carry_out(data).SerializeToString())
            if self.options.keep_open:
                sock.recv(1)

    def is_whole(self, data):
        try:
            request = self.Request()
            request.ParseFromString(data)
            return request.HasField(request.service_name)
        except Exception:  # pylint: disable=broad-except
            return False

    def register(self, address, registry):
        for name in self.services:
            response = proto_wire.retrying(
                registry,
                lambda name=name: self.Request(
                    type="register", service_name=name, server=self.Server(host=address[0], port=address[1])
                ),
                self.Response,
                ("timeout", "error"),
            )
            print(f"register {name}: {response.type} {response.content}", flush=True)

    def announce(self, address, registry):
        self.register(address, registry)
        while True:
            time.sleep(self.options.heartbeat)
            response = proto_wire.retrying(
                registry,
                lambda: self.Request(type="heartbeat", server=self.Server(host=address[0], port=address[1])),
                self.Response,
                ("timeout", "error"),
            )
            print(f"heartbeat: {response.type}", flush=True)
            if "register" in response.type:
                self.register(address, registry)

    def serve(self, registry):
        sock = proto_wire.listen(self.options.host, self.options.port)
        if registry is not None:
            address = sock.getsockname()[:2]
            threading.Thread(target=self.announce, args=(address, registry), daemon=True).start()
        with ThreadPoolExecutor(32) as pool:
            while True:
                pool.submit(self.handle, sock.accept()[0])


def add(request, response):
    response.sum = request.a + request.b


def upper(request, response):
    response.text = request.text.upper()


def divide(request, response):
    response.quotient, response.remainder = divmod(request.a, request.b)


def sleep(request, response):
    time.sleep(request.seconds)
    response.seconds = request.seconds


def find_user(request, response):
    response.user.id = request.id
    response.user.name = request.name if request.HasField("name") else "nobody"
    response.user.roles.extend(["reader", "writer"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-i", "--host", default="0.0.0.0")
    parser.add_argument("-p", "--port", type=int, required=True)
    parser.add_argument("--proto", default="rpc.proto")
    parser.add_argument("--registry", help="HOST:PORT")
    parser.add_argument("--heartbeat", type=float, default=5)
    parser.add_argument("--long", action="store_true", help="reads on until the request is whole")
    parser.add_argument("--keep-open", action="store_true", help="does not end the connection after its answer")
    options = parser.parse_args()
    messages = proto_wire.load(options.proto)
    stub = ServerStub(messages, options)
    fields = messages["Request"].DESCRIPTOR.fields_by_name
    for function in (add, upper, divide, sleep, find_user):
        if function.__name__ in fields:
            stub.register_service(function.__name__, function)
    registry = None
    if options.registry:
        host, port = options.registry.rsplit(":", 1)
        registry = (host, int(port))
    try:
        stub.serve(registry)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
