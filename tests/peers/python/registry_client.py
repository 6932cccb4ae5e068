"""The registry client of the JSON lab system, written from its documents: the standard library only.

`register` registers a server, and again every few seconds, which is its heartbeat; on SIGINT it unregisters. `find` asks
every few seconds which servers there are, and keeps what it knew where the registry cannot be asked. Both print one JSON
object per line.
"""

import argparse
import http.client
import json
import signal
import sys
import threading


def say(kind, **fields):
    print(json.dumps({"type": kind, **fields}), flush=True)


class InstanceMeta:
    def __init__(self, protocol=None, host=None, port=None, parameters=None):
        self.protocol = protocol
        self.host = host
        self.port = port
        self.status = None
        self.parameters = parameters or {}

    def to_dict(self):
        return vars(self)


class RegistryClient:
    def __init__(self, host, port):
        self.registry_host = host
        self.registry_port = port
        self.servers_cache = set()

    def ask(self, method, path, body=None):
        conn = http.client.HTTPConnection(self.registry_host, self.registry_port, timeout=10)
        try:
            conn.request(method, path, body=body)
            response = conn.getresponse()
            return response.status, json.loads(response.read().decode())
        finally:
            conn.close()

    def post(self, action, instance):
        try:
            status, answer = self.ask("POST", f"/myRegistry/{action}", json.dumps(instance.to_dict()))
            say(action, status=status, answer=answer)
        except OSError as error:
            say("error", message=str(error))

    def register_send_heartbeat(self, instance, every, stop_event):
        while True:
            self.post("register", instance)
            if stop_event.wait(every):
                break
        self.post("unregister", instance)

    def find_rpc_servers(self, protocol="json"):
        try:
            status, answer = self.ask("GET", f"/myRegistry/findAllInstances?proto={protocol}")
            if status == 200:
                found = {(ins["host"], ins["port"]) for ins in answer}
                before = self.servers_cache.copy()
                self.servers_cache |= found
                self.servers_cache -= before - found
        except OSError as error:
            say("error", message=str(error))
        say("servers", servers=sorted(self.servers_cache))

    def poll_registry(self, protocol, every, stop_event):
        while True:
            self.find_rpc_servers(protocol)
            if stop_event.wait(every):
                break


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["register", "find"])
    parser.add_argument("--registry", required=True, help="host:port")
    parser.add_argument("-i", "--host", default="0.0.0.0")
    parser.add_argument("-p", "--port", type=int)
    parser.add_argument("--protocol", default="json")
    parser.add_argument("--parameters", type=json.loads, default={})
    parser.add_argument("--every", type=float, help="seconds; default 5 to register, 3 to find")
    args = parser.parse_args()
    host, port = args.registry.rsplit(":", 1)
    client = RegistryClient(host, int(port))
    stop_event = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop_event.set())
    if args.action == "find":
        client.poll_registry(args.protocol, args.every or 3, stop_event)
    else:
        instance = InstanceMeta(args.protocol, args.host, args.port, args.parameters)
        client.register_send_heartbeat(instance, args.every or 5, stop_event)
    sys.exit(0)


if __name__ == "__main__":
    main()
