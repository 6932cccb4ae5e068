#!/usr/bin/env python3
"""A peer of the farcall protocol that knows nothing but its SPEC.md: decodes captures, calls, serves.

    farcall_peer.py decode [FILE]
    farcall_peer.py call HOST PORT service.method '[args]' [options]
    farcall_peer.py serve [options]
    farcall_peer.py many

Values are written and shown as in the codec `json`. Every line of output is a JSON object.
"""

import argparse
import asyncio
import sys

sys.dont_write_bytecode = True

from farcall_py import client, json_codec, server
from farcall_py.decode import check


def tell(line):
    print(json_codec.json.dumps(line, ensure_ascii=False), flush=True)


def many():
    """Runs the commands that come as lines, each a JSON list of arguments; says how each has ended."""
    while line := sys.stdin.readline():
        tell({"type": "done", "code": main(json_codec.json.loads(line))})


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    decode = commands.add_parser("decode", help="check a capture (lines of > or < and hex) and show its messages")
    decode.add_argument("file", nargs="?", default="-")
    client.add_arguments(commands.add_parser("call", help="make one call"))
    server.add_arguments(commands.add_parser("serve", help="serve `test` at a free port of 127.0.0.1"))
    commands.add_parser("many", help="run the commands in the lines of the input, each a JSON list of arguments")
    options = parser.parse_args(arguments)
    if options.command == "many":
        return many()
    if options.command == "decode":
        with sys.stdin if options.file == "-" else open(options.file, encoding="ascii") as lines:
            return 1 if check(lines, tell) else 0
    run = client.run if options.command == "call" else server.run
    return asyncio.run(run(options, tell))


if __name__ == "__main__":
    sys.exit(main())
