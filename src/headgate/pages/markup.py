"""HTML made of calls, in which whatever is not markup already is escaped. `page` is the only caller."""

from html import escape
from typing import Final

VOID: Final = frozenset({"meta"})
"""Elements without an end."""


class Markup(str):
    """A text that is HTML already; made by `tag`, or of constants in the source."""

    __slots__ = ()


def tag(element: str, /, *parts: str, **attributes: str | float) -> Markup:
    """An element; parts and attributes come escaped, `Markup` as it is.

    A ``_`` at the end of an attribute's name is left out, others become ``-``.

    >>> tag("p", "a < b", tag("b", "&"), class_='"x"')
    '<p class="&quot;x&quot;">a &lt; b<b>&amp;</b></p>'
    """
    head = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value), quote=True)}"' for key, value in attributes.items()
    )
    if element in VOID:
        return Markup(f"<{element}{head}>")
    inside = "".join(each if isinstance(each, Markup) else escape(each, quote=False) for each in parts)
    return Markup(f"<{element}{head}>{inside}</{element}>")
