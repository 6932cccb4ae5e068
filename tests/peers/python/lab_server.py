"""A server of the JSON lab system, written from its documents: the standard library only.

One TCP connection is one thread; what one `recv(1024)` gives is one request, and each is answered with `{"res": ...}`.
Prints `listening on HOST:PORT`, then serves until it is stopped. With a registry it registers, again as a heartbeat, and
takes that back when it is interrupted.
"""

import argparse
import http.client
import inspect
import json
import math
import socket
import threading
import time


class ServerStub:
    """Takes methods in, and carries requests out."""

    def __init__(self):
        self.services = {}

    def register_services(self, method, name=None):
        self.services[name or method.__name__] = method

    def call_method(self, req):
        request = json.loads(req.decode("utf-8"))
        name = request["method_name"]
        if name == "all_your_methods":
            signatures = {key: str(inspect.signature(fn)) for key, fn in self.services.items()}
            return self.reply(signatures)
        if name not in self.services:
            return self.reply(f"method {name} does not exist")
        try:
            return self.reply(self.services[name](*request["method_args"], **request["method_kwargs"]))
        except TypeError as error:
            return self.reply(f"wrong arguments for {name}: {error}")
        except Exception as error:  # pylint: disable=broad-except
            return self.reply(f"{name} failed: {error}")

    @staticmethod
    def reply(res):
        return json.dumps({"res": res}).encode("utf-8")


class RegistryClient:
    def __init__(self, registry, host, port, parameters):
        self.registry = registry
        self.meta = {"protocol": "json", "host": host, "port": port, "status": None, "parameters": parameters}

    def post(self, what):
        connection = http.client.HTTPConnection(self.registry, timeout=10)
        try:
            body = json.dumps(self.meta)
            connection.request("POST", f"/myRegistry/{what}", body, {"Content-Type": "application/json"})
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def send_heartbeats(self, seconds, stop_event):
        while True:
            self.post("register")
            if stop_event.wait(seconds):
                break
        self.post("unregister")


class RPCServer:
    def __init__(self, host, port):
        self.stub = ServerStub()
        family = socket.AF_INET if "." in host else socket.AF_INET6
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port))
        self.sock.listen(10)

    def rpc_client_handler(self, client_sock):
        try:
            while True:
                msg = client_sock.recv(1024)
                if not msg:
                    break
                client_sock.sendall(self.stub.call_method(msg))
        except (ConnectionError, ValueError, KeyError):
            pass
        finally:
            client_sock.close()

    def serve(self):
        host, port = self.sock.getsockname()[:2]
        print(f"listening on {host}:{port}", flush=True)
        while True:
            client_sock, _ = self.sock.accept()
            threading.Thread(target=self.rpc_client_handler, args=(client_sock,), daemon=True).start()


def add(a, b, c=10):
    return a + b + c


def sub(a, b):
    return a - b


def mul(a, b):
    return a * b


def div(a, b):
    return a / b


def power(base, exponent=2):
    return base**exponent


def factorial(n):
    return math.factorial(n)


def upper(text):
    return text.upper()


def reverse(items):
    return items[::-1]


def infinity(sign=1):
    return sign * math.inf


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-l", "--host", default="0.0.0.0")
    parser.add_argument("-p", "--port", type=int, required=True)
    parser.add_argument("-r", "--registry", help="HOST:PORT of the registry")
    parser.add_argument("--heartbeat", type=float, default=5, help="seconds between two registrations")
    parser.add_argument("--parameters", type=json.loads, default={}, help="what the registry is told beside it")
    args = parser.parse_args()
    server = RPCServer(args.host, args.port)
    for method in (add, sub, mul, div, power, factorial, upper, reverse, infinity, sleep):
        server.stub.register_services(method)
    stop_event, heartbeats = threading.Event(), None
    if args.registry is not None:
        port = server.sock.getsockname()[1]
        registry = RegistryClient(args.registry, args.host, port, args.parameters)
        heartbeats = threading.Thread(target=registry.send_heartbeats, args=(args.heartbeat, stop_event), daemon=True)
        heartbeats.start()
    try:
        server.serve()
    except KeyboardInterrupt:
        stop_event.set()
        if heartbeats is not None:
            heartbeats.join()


if __name__ == "__main__":
    main()
