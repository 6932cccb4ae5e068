"""What client, server and registry of the protobuf lab have in common: one message each way on a connection of its own.

Nothing frames a message. The original peers read once, and take what that gives for all of it.
"""

import os
import socket
import time

import proto_schema

HERE = os.path.dirname(os.path.abspath(__file__))
RECV_BYTES = 65536


def load(name):
    return proto_schema.load(os.path.join(HERE, name))


def now():
    return time.strftime("%Y-%m-%d %H:%M:%S")


def listen(host, port):
    family = socket.AF_INET if "." in host else socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(64)
    print("listening on {}:{}".format(*sock.getsockname()[:2]), flush=True)
    return sock


def connect(address, request, response, patience=10):
    """Sends a request and fills the response; what fails on the way is in its type too, as in the documents."""
    try:
        with socket.create_connection(address, timeout=patience) as sock:
            sock.sendall(request.SerializeToString())
            response.ParseFromString(receive_all(sock))
    except socket.timeout:
        response.type, response.content = "timeout", "no answer in time"
    except Exception as error:  # pylint: disable=broad-except
        response.type, response.content = "error", str(error)
    return response


def receive_all(sock):
    data = sock.recv(RECV_BYTES)
    while True:
        more = sock.recv(RECV_BYTES) if data else b""
        if not more:
            return data
        data += more


def retrying(address, make_request, make_response, repeat_on, patience=10):
    """The documents' way to try again once, for these types of the response."""
    response = connect(address, make_request(), make_response(), patience)
    if response.type in repeat_on:
        response = connect(address, make_request(), make_response(), patience)
    return response
