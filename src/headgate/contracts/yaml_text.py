"""Contracts and other operator files as YAML: what people read and edit.

Called by the endpoint file and the command line. YAML 1.1 reads ``NO`` as false, ``12:30`` as 750 and ``1e-5`` as
text; a country code, a time and a bound would change silently. So the scalars of YAML 1.2's core schema are read,
and whatever either version would take for something else is quoted when written.
"""

import re
from typing import Any, Final

import yaml

from headgate.contracts.contract import Contract
from headgate.contracts.text import from_document, to_document
from headgate.errors import BadConfiguration

_CORE: Final = (
    ("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        list("-+.0123456789"),
    ),
)
_SHORT: Final = 60
"""Characters up to which a list of scalars stands on one line."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: Any = {}  # noqa: RUF012 - replaced, not shared: pyyaml copies it on the first addition

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, "keys are text", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key}' stands here twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def compose_node(self, parent: Any, index: Any) -> Any:
        # Anchors let a small file unfold into an endless one, and nothing here needs them.
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not read; write it out", mark)
        return super().compose_node(parent, index)


def _whole(loader: _Loader, node: Any) -> int:
    return int(node.value)


def _real(loader: _Loader, node: Any) -> float:
    text: str = node.value.lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


for _tag, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(_tag, _pattern, _first)
    _Dumper.add_implicit_resolver(_tag, _pattern, _first)
_Loader.add_constructor("tag:yaml.org,2002:int", _whole)
_Loader.add_constructor("tag:yaml.org,2002:float", _real)


def _sequence(dumper: _Dumper, items: list[Any]) -> Any:
    flat = not any(isinstance(each, list | dict) for each in items) and len(str(items)) <= _SHORT
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


def _text(dumper: _Dumper, text: str) -> Any:
    # Outside double quotes PyYAML writes these as bare line breaks, and folds them when it reads them back.
    broken = any(each in text for each in "\x85\u2028\u2029")
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if broken else None)


_Dumper.add_representer(list, _sequence)
_Dumper.add_representer(str, _text)


def read_yaml(text: str, where: str) -> Any:
    """The document in `text`.

    Raises BadConfiguration, naming `where` and the line, for bad YAML, a key given twice, a key that is no text or
    an alias.

    >>> read_yaml("countries: [NO, SE]", "endpoint.yaml")
    {'countries': ['NO', 'SE']}
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader with fewer abilities
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadConfiguration(f"{where}{line}", error.problem or "is not YAML") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadConfiguration(where, f"is not YAML: {type(error).__name__}") from error


def write_yaml(document: object) -> str:
    """`document`, keys in their order, short lists on one line."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def dump_yaml(contract: Contract) -> str:
    """`contract` for people: short comments, defaults left out.

    >>> from headgate.contracts.contract import Field, Kind
    >>> print(dump_yaml(Contract((Field("distance", Kind.NUMBER, unit="miles", minimum=0),))), end="")
    # What the model expects of each row. Ranges and domains flag what they do not know; to refuse such rows,
    # add on_range: reject or on_domain: reject. Other keys: nullable, unit, max_bytes, sensitivity.
    fields:
    - name: distance
      kind: number
      unit: miles
      minimum: 0
    # What it promises back, and what its label looks like.
    output:
      task: tensor
    """
    document = to_document(contract)
    return (
        "# What the model expects of each row. Ranges and domains flag what they do not know; to refuse such rows,\n"
        "# add on_range: reject or on_domain: reject. Other keys: nullable, unit, max_bytes, sensitivity.\n"
        + write_yaml({"fields": document["fields"]})
        + "# What it promises back, and what its label looks like.\n"
        + write_yaml({"output": document["output"]})
    )


def load_yaml(text: str, where: str) -> Contract:
    """The contract in `text`.

    Raises BadConfiguration, naming `where` and the place, as `read_yaml` and ``text.from_document`` do.
    """
    return from_document(read_yaml(text, where), where)
