"""What a person orders of something that the controller moves as well."""

from collections.abc import Callable
from typing import Final, TypeVar

from headgate.errors import Conflict

LOOKS: Final = 5
"""How often an order is given to what moves at the same moment."""
Found = TypeVar("Found")
Done = TypeVar("Done")


def ordered(look: Callable[[], Found], give: Callable[[Found], Done]) -> Done:
    """What `give` makes of what `look` finds: an order counts though somebody moved what it is about in between.

    `give` raises Conflict where the order means nothing, or where another is there by now than it was handed. With
    another there it is asked again, `LOOKS` times in all. Raises what it raised last.

    >>> seen = iter(["a rollout", "the same, a step on", "the same, a step on"])
    >>> def give(found: str) -> str:
    ...     if found == "a rollout":
    ...         raise Conflict("it moved meanwhile")
    ...     return f"{found}, aborted"
    >>> ordered(lambda: next(seen), give)
    'the same, a step on, aborted'
    """
    looks = LOOKS
    while True:
        found = look()
        try:
            return give(found)
        except Conflict:
            looks -= 1
            if not looks or look() == found:
                raise
