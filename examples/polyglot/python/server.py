"""A server in Python, with the standard library alone: python3 server.py 127.0.0.1:9999 registers there.

It answers {"method_name", "method_args", "method_kwargs"} with {"res"}, and registers again every 5 seconds, which is its
heartbeat.
"""

import json
import socketserver
import sys
import threading
import time
import urllib.request


def add(a, b):
    return a + b


def hello(name):
    return f"Hello {name}, this is Python"


class Handler(socketserver.BaseRequestHandler):
    methods = {"add": add, "hello": hello}

    def handle(self):
        # What one recv gives is one request: nothing else says where it ends.
        while data := self.request.recv(1024):
            self.request.sendall(json.dumps({"res": self.call(json.loads(data))}).encode())

    def call(self, request):
        try:
            return self.methods[request["method_name"]](*request["method_args"], **request["method_kwargs"])
        except Exception as error:
            return str(error)


def register(registry, host, port):
    instance = {"protocol": "json", "host": host, "port": port, "status": None, "parameters": {}}
    urllib.request.urlopen(f"http://{registry}/myRegistry/register", json.dumps(instance).encode()).close()


def send_heartbeats(*args):
    while True:
        time.sleep(5)
        register(*args)


registry = sys.argv[1]
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
    host, port = server.server_address
    register(registry, host, port)
    threading.Thread(target=send_heartbeats, args=(registry, host, port), daemon=True).start()
    print(f"ready {host}:{port}", flush=True)
    server.serve_forever()
