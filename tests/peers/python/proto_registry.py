"""A registry of the protobuf lab, written from its document; needs Python's `protobuf`.

A table from the names of services to the addresses of servers, with the time of the last heartbeat of each. A server
that was silent for too long is forgotten when it is noticed: by its next heartbeat, which is answered with the request
to register again, or by somebody who looks for it. Prints `listening on HOST:PORT`, then serves until it is stopped.
"""

import argparse
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import proto_wire


class Registry:
    def __init__(self, messages, options):
        self.Request, self.Response, self.Server = (messages[name] for name in ("Request", "Response", "Server"))
        self.options = options
        self.lock = threading.Lock()
        self.services = {}
        self.heard = {}

    def answer(self, data):
        response = self.Response(time=proto_wire.now())
        request = self.Request()
        try:
            request.ParseFromString(data)
        except Exception as error:  # pylint: disable=broad-except
            response.type, response.content = "error", f"cannot be read: {error}"
            return response
        address = (request.server.host, request.server.port)
        with self.lock:
            self.forget_the_silent()
            if request.type == "register":
                self.services.setdefault(request.service_name, set()).add(address)
                self.heard[address] = time.monotonic()
                response.type, response.content = "success", f"registered {request.service_name}"
            elif request.type == "discover":
                servers = sorted(self.services.get(request.service_name, ()))
                if servers or self.options.empty_is_success:
                    response.type = "success"
                    response.servers.extend(self.Server(host=host, port=port) for host, port in servers)
                else:
                    response.type, response.content = "fail", f"no server has {request.service_name}"
            elif request.type == "heartbeat" and address in self.heard:
                self.heard[address] = time.monotonic()
                response.type, response.content = "success", "alive"
            elif request.type == "heartbeat":
                response.type, response.content = self.options.again, "register again"
            else:
                response.type, response.content = "error", f"unknown type {request.type}"
        return response

    def forget_the_silent(self):
        limit = time.monotonic() - self.options.timeout
        for address in [address for address, heard in self.heard.items() if heard < limit]:
            del self.heard[address]
            for name in list(self.services):
                self.services[name].discard(address)
                if not self.services[name]:
                    del self.services[name]

    def handle(self, sock):
        with sock:
            sock.sendall(self.answer(sock.recv(proto_wire.RECV_BYTES)).SerializeToString())

    def serve(self):
        sock = proto_wire.listen(self.options.host, self.options.port)
        with ThreadPoolExecutor(32) as pool:
            while True:
                pool.submit(self.handle, sock.accept()[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-i", "--host", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int, required=True)
    parser.add_argument("--proto", default="rpc.proto")
    parser.add_argument("--timeout", type=float, default=15, help="seconds of silence after which a server is gone")
    parser.add_argument("--again", default="re-register", help="how the request to register again is spelt")
    parser.add_argument("--empty-is-success", action="store_true")
    options = parser.parse_args()
    try:
        Registry(proto_wire.load(options.proto), options).serve()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
