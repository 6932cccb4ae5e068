"""What a capture knows of a connection: its two sides, its calls, its messages in parts."""

from . import frames as f
from . import msgpack_codec
from .connection import CODECS
from .values import Fault


class Assembly:
    """A message that comes in parts: begun with these shapes, and with this credit if it is an item."""

    def __init__(self, shapes, credit):
        self.body, self.parts, self.shapes, self.credit = bytearray(), 0, shapes, credit


class Recorded:
    """A call, as seen from between the two sides."""

    def __init__(self, number, up_window, down_window):
        self.number, self.parsed = number, None
        self.credit = {"client": up_window, "server": down_window}
        self.spent = {"client": 0, "server": 0}
        self.given = {"client": 0, "server": 0}
        self.head = self.answered = self.cancelled = False
        # By END of the client, and by CANCEL of the server.
        self.argument_ended = self.argument_refused = False

    def streams(self, name):
        """Whether the items of this side still cost and get credit."""
        if self.answered or self.cancelled:
            return False
        return name == "server" or not (self.argument_ended or self.argument_refused)

    def ignores(self, name, kind):
        """Whether a frame of this side was on its way when the other side ended the call, or the argument."""
        if kind == f.CREDIT:
            return not self.streams("server" if name == "client" else "client")
        if name == "server":
            return self.cancelled
        return self.answered or (self.argument_refused and not self.cancelled)

    @property
    def over(self):
        return self.answered or self.cancelled or (self.parsed is not None and self.parsed["oneway"])


class Side:
    """One direction: what its sender has sent."""

    def __init__(self, name):
        self.name, self.buffer, self.at = name, bytearray(), 0
        self.preface = None
        self.begun = None
        self.shapes = msgpack_codec.Shapes()
        self.assemblies = {}
        # Credit that this sender has from the other side for the connection: more when its windows are known.
        self.credit, self.spent, self.given = f.LEAST_WINDOW, 0, 0
        self.pings = []
        self.closed = self.ended = False
        self.counts = {"frames": 0, "parts": 0, "definitions": 0, "records": 0, "assemblies": 0, "largest": 0}

    def summary(self):
        return {
            **self.counts,
            "underWay": len(self.assemblies),
            "unanswered": len(self.pings),
            "spent": self.spent,
            "givenBack": self.given,
            "credit": self.credit,
            "ended": self.ended,
        }


class CountingShapes:
    """The shapes that a message may use; counts the records in it."""

    def __init__(self, names, counts):
        self.names, self.counts = names, counts

    def __len__(self):
        return len(self.names)

    def __getitem__(self, at):
        self.counts["records"] += 1
        return self.names[at]


def check_hole(parsed, value):
    """The stream argument of a call must stand as null among the others."""
    where = parsed["stream"]
    try:
        hole = value if parsed["form"] == 2 else value[where]
    except (IndexError, KeyError, TypeError):
        raise Fault(f"the stream argument {where!r} has no place among the arguments") from None
    if hole is not None:
        raise Fault("the stream argument must stand as null among the arguments")


def chosen_codec(offer):
    """The codec that a client's preface decides on."""
    if 1 not in offer["versions"]:
        raise Fault(f"versions {offer['versions']}: only 1 is known here")
    if not offer["codecs"]:
        raise Fault("no codec is offered")
    if offer["codecs"][0] not in CODECS:
        raise Fault(f"unknown codec {offer['codecs'][0]!r}")
    return offer["codecs"][0]
