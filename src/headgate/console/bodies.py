"""What a request to the control API carries: read no further than it may be long, and decoded into one struct."""

from typing import Final, TypeVar

import msgspec
from starlette.requests import Request

from headgate.errors import BadInput, BodyRefused

BODY_LIMIT: Final = 64 * 1024
"""Bytes of a request's body; no request here needs a hundredth of it."""
T = TypeVar("T")


async def read_bytes(request: Request) -> bytes:
    """The body as it came. Raises BodyRefused for what is too long."""
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > BODY_LIMIT:
            raise BodyRefused("body", "size", f"may have {BODY_LIMIT} bytes")
    return bytes(read)


async def read_body(request: Request, kind: type[T]) -> T:
    """The body as a `kind`. Raises BodyRefused for what is no JSON, or too long, BadInput for another shape."""
    read = await read_bytes(request)
    try:
        return msgspec.json.decode(read, type=kind)
    except msgspec.ValidationError as error:
        raise BadInput("body", "type", str(error)) from error
    except UnicodeDecodeError as error:
        raise BodyRefused("body", "utf8", "is not UTF-8 text") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise BodyRefused("body", "json", "the body is not JSON") from error
