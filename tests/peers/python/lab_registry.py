"""The registry of the JSON lab system, written from its documents: the standard library only.

Servers register by POST, and again as a heartbeat; clients ask by GET who speaks a protocol. Answers are HTTP/1.0 without
a length: the end of the connection ends them. Prints `listening on HOST:PORT`, then serves until it is stopped.
"""

import argparse
import json
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse


class InstanceMeta:
    """One server. Its protocol, host and port tell it from others."""

    def __init__(self, protocol=None, host=None, port=None, parameters=None):
        self.protocol = protocol
        self.host = host
        self.port = port
        self.status = None
        self.parameters = parameters or {}

    @staticmethod
    def from_dict(data):
        return InstanceMeta(data["protocol"], data["host"], data["port"], data.get("parameters"))

    def to_dict(self):
        return vars(self)

    def key(self):
        return (self.protocol, self.host, self.port)

    def __eq__(self, other):
        return self.key() == other.key()

    def __hash__(self):
        return hash(self.key())


class RegistryService:
    """Knows the servers, and forgets those that have not been heard of."""

    def __init__(self, check, threshold):
        self.lock = threading.Lock()
        self.instances = defaultdict(list)
        self.heard = {}
        self.check = check
        self.threshold = threshold
        threading.Thread(target=self.check_health, daemon=True).start()

    def register(self, meta):
        with self.lock:
            # One that is there already stays as it came; only its time is another.
            if meta not in self.instances[meta.protocol]:
                self.instances[meta.protocol].append(meta)
            self.heard[meta] = time.time()
        meta.status = True
        return meta

    def unregister(self, meta):
        with self.lock:
            if meta in self.instances[meta.protocol]:
                self.instances[meta.protocol].remove(meta)
                del self.heard[meta]
        meta.status = False
        return meta

    def find(self, protocol):
        with self.lock:
            return list(self.instances[protocol])

    def check_health(self):
        while True:
            time.sleep(self.check)
            with self.lock:
                silent = [meta for meta, at in self.heard.items() if time.time() - at > self.threshold]
            for meta in silent:
                self.unregister(meta)


class RequestHandler(BaseHTTPRequestHandler):
    registry = None

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = urlparse(self.path).path
        if path == "/myRegistry/register":
            self.respond(self.registry.register(InstanceMeta.from_dict(body)).to_dict())
        elif path == "/myRegistry/unregister":
            self.respond(self.registry.unregister(InstanceMeta.from_dict(body)).to_dict())
        else:
            self.respond({"error": "Not Found"}, 404)

    def do_GET(self):
        url = urlparse(self.path)
        if url.path == "/myRegistry/findAllInstances":
            protocol = parse_qs(url.query).get("proto", [None])[0]
            self.respond([meta.to_dict() for meta in self.registry.find(protocol)])
        else:
            self.respond({"error": "Not Found"}, 404)

    def respond(self, data, status=200):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(data).encode("utf-8"))

    def log_message(self, format, *args):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-l", "--host", default="0.0.0.0")
    parser.add_argument("-p", "--port", type=int, required=True)
    parser.add_argument("--check", type=float, default=5, help="seconds between two looks at who is silent")
    parser.add_argument("--threshold", type=float, default=10, help="seconds after which who is silent is gone")
    args = parser.parse_args()
    RequestHandler.registry = RegistryService(args.check, args.threshold)
    server = ThreadingHTTPServer((args.host, args.port), RequestHandler)
    print(f"listening on {args.host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
