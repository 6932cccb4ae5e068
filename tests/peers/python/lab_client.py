"""A client of the JSON lab system, written from its documents: the standard library only.

Any method that is asked of an `RPCClient` is called far away: one connection per call, one `send`, one `recv(1024)`.
As a program it reads one JSON object per line, `{"method", "args", "kwargs"}`, and prints one per result,
`{"type": "result", "value"}`; with `--at-once` it makes all calls at the same time, each in a thread.
"""

import argparse
import json
import socket
import sys
import threading


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


class RPCClient:
    def __init__(self, host, port):
        self.host = host
        self.port = port
        self.errors = []

    def __getattr__(self, method):
        def _func(*args, **kwargs):
            tcp_client = TCPClient(self.host, self.port)
            try:
                tcp_client.connect()
                dic = {"method_name": method, "method_args": args, "method_kwargs": kwargs}
                tcp_client.send(json.dumps(dic).encode("utf-8"))
                response = tcp_client.recv(1024)
                return json.loads(response.decode("utf-8"))["res"]
            except (json.JSONDecodeError, OSError) as error:
                self.errors.append(str(error))
                return None
            finally:
                tcp_client.close()

        setattr(self, method, _func)
        return _func


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-i", "--host", required=True)
    parser.add_argument("-p", "--port", type=int, required=True)
    parser.add_argument("--at-once", action="store_true")
    args = parser.parse_args()
    client = RPCClient(args.host, args.port)
    calls = [json.loads(line) for line in sys.stdin]
    values = [None] * len(calls)

    def run(index):
        call = calls[index]
        values[index] = getattr(client, call["method"])(*call.get("args", []), **call.get("kwargs", {}))

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
        if not args.at_once:
            thread.join()
    for thread in threads:
        thread.join()
    for value in values:
        print(json.dumps({"type": "result", "value": value}))
    for error in client.errors:
        print(json.dumps({"type": "error", "message": error}))


if __name__ == "__main__":
    main()
