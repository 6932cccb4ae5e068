"""What travels beside JSON. Everything else is Python's own: None, bool, int, float, str, bytes, list, dict."""

MAX_SAFE = 2**53 - 1
MAX_DEPTH = 64
CODES = (
    "cancelled unknown invalid_argument deadline_exceeded not_found already_exists permission_denied "
    "resource_exhausted failed_precondition aborted out_of_range unimplemented internal unavailable data_loss "
    "unauthenticated"
).split()


class Fault(Exception):
    """Somebody broke a rule of the protocol or of a codec."""


class Undefined:
    """JavaScript's undefined, of which there is one: UNDEFINED."""


UNDEFINED = Undefined()


class BigInt(int):
    """A bigint; a plain int is a number."""


class Date:
    """Milliseconds since 1970, a number that may be negative."""

    def __init__(self, ms):
        self.ms = ms


class Map:
    def __init__(self, pairs):
        self.pairs = pairs


class Set:
    def __init__(self, members):
        self.members = members


class ErrorValue:
    """An error as a value: name, message and perhaps code, reason, details, cause."""

    known = ("name", "message", "code", "reason", "details", "cause")

    def __init__(self, fields):
        if not isinstance(fields, dict):
            raise Fault("an error must be an object")
        for name in ("name", "message"):
            if not isinstance(fields.get(name), str):
                raise Fault(f"an error needs a text as its {name}")
        if "code" in fields and fields["code"] not in CODES:
            raise Fault(f"unknown code {fields['code']!r} of an error")
        if "reason" in fields and not isinstance(fields["reason"], str):
            raise Fault("the reason of an error must be a text")
        self.fields = {name: fields[name] for name in self.known if name in fields}


def well_formed(text):
    """A lone surrogate cannot travel; it becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def utf8(data, what="text"):
    try:
        return bytes(data).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault(f"{what} is not UTF-8: {error}") from None
