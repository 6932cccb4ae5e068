"""Reads captures from text."""

from .capture import Capture
from .values import Fault


def check(lines, tell):
    """
    Reads captures, with a line `---` between them: lines of `>` (client) or `<` (server) and hex, or `end`. Returns the
    number of faults.
    """
    one, faults = [], 0
    for line in lines:
        line = line.split("#")[0].strip()
        if line == "---":
            faults += check_one(one, tell)
            one = []
        elif line:
            one.append(line)
    return faults + check_one(one, tell)


def check_one(lines, tell):
    capture = Capture(tell)
    try:
        for line in lines:
            name = {">": "client", "<": "server"}.get(line[0])
            if name is None:
                raise Fault(f"a line of a capture begins with > or <, not {line[:8]!r}")
            rest = line[1:].strip()
            try:
                if rest == "end":
                    capture.end(name)
                else:
                    capture.feed(name, bytes.fromhex(rest))
            except Fault as fault:
                raise Fault(f"{name}: {fault}") from None
    except Fault as fault:
        # Nothing after it can be trusted to begin where it seems to.
        capture.faults += 1
        tell({"type": "fault", "why": str(fault)})
    capture.summary()
    return capture.faults
