"""A form as browsers and HTTP libraries send it: ``multipart/form-data`` of RFC 7578, strictly and within bounds.

Called by `door.py`. No preamble, no epilogue, no part inside a part, no transfer encoding: nobody who sends forms sends
those, and every one of them is a way for two readers of the same bytes to see different rows.
"""

import re
from dataclasses import dataclass
from typing import Final

from headgate.errors import BodyRefused

LONGEST_BOUNDARY: Final = 70
"""RFC 2046, section 5.1.1."""
MOST_PARTS: Final = 4096
HEAD_BYTES: Final = 8192
"""Of one part."""
_RULE: Final = "multipart"
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_NAME: Final = re.compile(rb'form-data((?:\s*;\s*[a-z*]+="(?:[^"\\]|\\.)*")+)\s*', re.IGNORECASE)
_PARAMETER: Final = re.compile(rb';\s*([a-z*]+)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_PLAIN_ENCODINGS: Final = (b"", b"7bit", b"8bit", b"binary")
_ESCAPES: Final = ((b"%22", b'"'), (b"%0D", b"\r"), (b"%0A", b"\n"))
"""What the WHATWG's form encoding writes for characters that would end a name."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form."""

    name: str
    content: bytes


def boundary_of(content_type: bytes) -> bytes:
    """The boundary that a ``Content-Type`` states. Raises BodyRefused where it states none that is legal.

    >>> boundary_of(b'multipart/form-data; boundary="a b"')
    b'a b'
    """
    for each in content_type.split(b";")[1:]:
        name, _, value = each.strip().partition(b"=")
        if name.strip().lower() == b"boundary":
            value = value.strip()
            value = value[1:-1] if len(value) > 1 and value[:1] == value[-1:] == b'"' else value
            if _BOUNDARY.fullmatch(value):
                return value
    raise BodyRefused("body", _RULE, f"needs a boundary of 1 to {LONGEST_BOUNDARY} legal characters in Content-Type")


def parts_of(body: bytes, boundary: bytes) -> list[Part]:
    r"""The parts of a form, in order. Raises BodyRefused for what is none.

    >>> form = b'--x\r\nContent-Disposition: form-data; name="age"\r\n\r\n40\r\n--x--\r\n'
    >>> parts_of(form, b"x")
    [Part(name='age', content=b'40')]
    """
    line = b"--" + boundary
    if not body.startswith(line):
        raise BodyRefused("body", _RULE, "does not begin with the boundary that Content-Type states")
    pieces = body[len(line) :].split(b"\r\n" + line, MOST_PARTS + 1)
    if len(pieces) > MOST_PARTS + 1:
        raise BodyRefused("body", _RULE, f"may have {MOST_PARTS} parts")
    if pieces.pop() not in (b"--", b"--\r\n"):
        raise BodyRefused("body", _RULE, "does not end with its closing boundary; send all of it, and nothing behind")
    return [_part(each) for each in pieces]


def _part(piece: bytes) -> Part:
    # A boundary line may end in blanks; anything else behind it makes it part of a longer line, which is no boundary.
    blanks, end, rest = piece.partition(b"\r\n")
    if not end or blanks.strip(b" \t"):
        raise BodyRefused("body", _RULE, "has a boundary that does not stand on a line of its own")
    head, found, content = (b"", True, rest[2:]) if rest.startswith(b"\r\n") else _cut(rest)
    if not found or len(head) > HEAD_BYTES:
        raise BodyRefused("body", _RULE, f"has a part whose head does not end within {HEAD_BYTES} bytes")
    headers = _headers(head)
    if headers.get(b"content-type", b"").strip().lower().startswith(b"multipart/"):
        raise BodyRefused("body", _RULE, "has a part of several parts; send each as a part of its own")
    if headers.get(b"content-transfer-encoding", b"").lower() not in _PLAIN_ENCODINGS:
        raise BodyRefused("body", _RULE, "has a part with a transfer encoding; send its bytes as they are")
    return Part(_name(headers.get(b"content-disposition", b"")), content)


def _cut(rest: bytes) -> tuple[bytes, bool, bytes]:
    at = rest.find(b"\r\n\r\n", 0, HEAD_BYTES + 4)
    return (rest[:at], True, rest[at + 4 :]) if at >= 0 else (rest[:0], False, b"")


def _headers(head: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n") if head else ():
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or not name or name != name.strip() or name in found or b"\n" in line or b"\r" in line:
            raise BodyRefused("body", _RULE, "has a part with a header that is none, or comes twice")
        found[name] = value.strip()
    return found


def _name(disposition: bytes) -> str:
    shape = _NAME.fullmatch(disposition)
    names = [] if shape is None else [value for name, value in _PARAMETER.findall(shape[1]) if name.lower() == b"name"]
    if len(names) != 1:
        raise BodyRefused("body", _RULE, 'has a part without Content-Disposition: form-data; name="..."')
    name = re.sub(rb'\\(["\\])', rb"\1", names[0])
    for escape, meant in _ESCAPES:
        name = name.replace(escape, meant)
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise BodyRefused("body", "utf8", "has a part whose name is not UTF-8 text") from error
