"""On which line of a YAML file a key stands, so that whoever wrote it finds what is wrong."""

import re
from typing import Any, Final

import yaml

_PART: Final = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")


def line_of(text: str, path: str) -> int:
    r"""The line, from 1, of the key at `path` (``steps[2].set_weight``) in `text`, or of the nearest one around it.

    >>> line_of("endpoint: late\nsteps:\n- shadow: 100%\n- analysis\n", "steps[1]")
    4
    >>> line_of("endpoint: late\n", "horizon")
    1
    """
    node: Any = yaml.compose(text, yaml.SafeLoader)
    line = 1 if node is None else node.start_mark.line + 1
    for place, name in _PART.findall(path):
        found = _item(node, int(place)) if place else _entry(node, name)
        if found is None:
            break
        line, node = found
    return line


def _item(node: Any, place: int) -> tuple[int, Any] | None:
    if not isinstance(node, yaml.SequenceNode) or place >= len(node.value):
        return None
    return node.value[place].start_mark.line + 1, node.value[place]


def _entry(node: Any, name: str) -> tuple[int, Any] | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next(((key.start_mark.line + 1, value) for key, value in node.value if key.value == name), None)
