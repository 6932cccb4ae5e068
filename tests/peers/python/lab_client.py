"""A client of the JSON lab system, written from its documents: the standard library only.

Any method that is asked of an `RPCClient` is called far away: one connection per call, one `send`, one `recv(1024)`.
As a program it reads one JSON object per line, `{"method", "args", "kwargs"}`, and prints one per result,
`{"type": "result", "value"}`, as they come; with `--at-once` it reads all, and makes all calls at the same time, each in
a thread. With `-m registry` it asks a registry where the servers are, again and again, and keeps what it heard last.
"""

import argparse
import http.client
import json
import random
import socket
import sys
import threading
import time


def tell(what, **fields):
    # In one piece, for threads tell too.
    sys.stdout.write(json.dumps({"type": what, **fields}) + "\n")
    sys.stdout.flush()


class TCPClient:
    def __init__(self, host, port):
        self.host = host
        self.port = port
        family = socket.AF_INET if "." in host else socket.AF_INET6
        self.sock = socket.socket(family, socket.SOCK_STREAM)

    def connect(self):
        self.sock.settimeout(10)
        self.sock.connect((self.host, self.port))

    def send(self, data):
        self.sock.send(data)

    def recv(self, length):
        return self.sock.recv(length)

    def close(self):
        self.sock.close()


class RegistryClient:
    def __init__(self, registry):
        self.registry = registry
        self.servers_cache = set()

    def find_rpc_servers(self, protocol="json"):
        connection = http.client.HTTPConnection(self.registry, timeout=10)
        try:
            connection.request("GET", f"/myRegistry/findAllInstances?proto={protocol}")
            response = connection.getresponse()
            if response.status == 200:
                self.servers_cache = {(one["host"], one["port"]) for one in json.loads(response.read())}
        except OSError:
            # What is in the cache goes on to hold.
            pass
        finally:
            connection.close()
        return list(self.servers_cache)

    def poll(self, seconds):
        while True:
            self.find_rpc_servers()
            time.sleep(seconds)


class RPCClient:
    def __init__(self, find_server):
        self.find_server = find_server

    def __getattr__(self, method):
        def _func(*args, **kwargs):
            tcp_client = None
            try:
                tcp_client = TCPClient(*self.find_server())
                tcp_client.connect()
                dic = {"method_name": method, "method_args": args, "method_kwargs": kwargs}
                tcp_client.send(json.dumps(dic).encode("utf-8"))
                response = tcp_client.recv(1024)
                return json.loads(response.decode("utf-8"))["res"]
            except (json.JSONDecodeError, OSError) as error:
                tell("error", message=str(error))
                return None
            finally:
                if tcp_client is not None:
                    tcp_client.close()

        setattr(self, method, _func)
        return _func


def finder(args):
    """How a server is found for each call."""
    if args.mode == "server":
        return lambda: (args.host, args.port)
    registry = RegistryClient(args.registry)
    threading.Thread(target=registry.poll, args=(args.poll,), daemon=True).start()

    def find():
        servers = list(registry.servers_cache) or registry.find_rpc_servers()
        if not servers:
            raise ConnectionError("no available servers")
        return random.choice(servers)

    return find


def call(client, line):
    asked = json.loads(line)
    return getattr(client, asked["method"])(*asked.get("args", []), **asked.get("kwargs", {}))


def call_at_once(client, lines):
    values = [None] * len(lines)

    def run(index):
        values[index] = call(client, lines[index])

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(lines))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for value in values:
        tell("result", value=value)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-i", "--host", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int)
    parser.add_argument("-m", "--mode", choices=["server", "registry"], default="server")
    parser.add_argument("-r", "--registry", help="HOST:PORT of the registry, with -m registry")
    parser.add_argument("--poll", type=float, default=3, help="seconds between two questions to the registry")
    parser.add_argument("--at-once", action="store_true")
    args = parser.parse_args()
    client = RPCClient(finder(args))
    if args.at_once:
        call_at_once(client, sys.stdin.readlines())
    else:
        for line in sys.stdin:
            tell("result", value=call(client, line))


if __name__ == "__main__":
    main()
