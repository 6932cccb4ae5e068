"""A client in Python, with the standard library alone: python3 client.py 127.0.0.1:9999 calls everyone registered there.

Whoever speaks the JSON of Python's servers is called in that, Go's servers in geerpc, which can be written in JSON too.
"""

import json
import socket
import sys
import urllib.request


def find_all(registry, protocol):
    with urllib.request.urlopen(f"http://{registry}/myRegistry/findAllInstances?proto={protocol}") as response:
        return [(instance["host"], instance["port"]) for instance in json.load(response)]


def call_lab_json(address, method, *args):
    with socket.create_connection(address) as sock:
        request = {"method_name": method, "method_args": args, "method_kwargs": {}}
        sock.sendall(json.dumps(request).encode())
        return json.loads(sock.recv(1024))["res"]


def call_geerpc(address, method, argument):
    """An option, then a header and a body; the answer is a header and a body as well."""
    option = {"MagicNumber": 0x3BEF5C, "CodecType": "application/json"}
    header = {"ServiceMethod": method, "Seq": 1}
    with socket.create_connection(address) as sock, sock.makefile("rw") as stream:
        for value in (option, header, argument):
            print(json.dumps(value), file=stream)
        stream.flush()
        header, body = json.loads(stream.readline()), json.loads(stream.readline())
    if header["Error"]:
        raise RuntimeError(header["Error"])
    return body


def tell(protocol, address, add, hello):
    print(json.dumps({"protocol": protocol, "server": "{}:{}".format(*address), "add": add, "hello": hello}))


registry = sys.argv[1]
for address in find_all(registry, "json"):
    tell("lab-json", address, call_lab_json(address, "add", 20, 22), call_lab_json(address, "hello", "Ada"))
for address in find_all(registry, "geerpc"):
    sum_ = call_geerpc(address, "Polyglot.Add", {"A": 20, "B": 22})
    tell("geerpc", address, sum_, call_geerpc(address, "Polyglot.Hello", "Ada"))
