"""A file of another monitor, whichever it is: SageMaker's ``constraints.json``, or Evidently-style presets."""

from typing import Final

import msgspec

from headgate.contracts.contract import Contract
from headgate.contracts.yaml_text import read_yaml
from headgate.errors import BadConfiguration
from headgate.traffic.takeover.account import DEFAULTS, Takeover
from headgate.traffic.takeover.constraints import take_constraints
from headgate.traffic.takeover.presets import take_presets
from headgate.traffic.watched import MonitorWords

_CONSTRAINTS: Final = frozenset({"features", "monitoring_config"})
"""Keys of which every constraints file has one."""


def take_over(text: str, contract: Contract, monitors: MonitorWords = DEFAULTS, where: str = "the file") -> Takeover:
    """The contract and the words once the file of that `text`, JSON or YAML, was taken over.

    Raises BadConfiguration naming `where`, the key and the rule it breaks.

    >>> take_over("- DataDriftPreset", Contract(())).monitors.reference.value
    'package'
    """
    document = _read(text, where)
    if isinstance(document, dict) and _CONSTRAINTS & document.keys():
        return take_constraints(document, contract, monitors, where)
    if not isinstance(document, dict | list):
        raise BadConfiguration(where, "holds neither constraints nor presets: no object and no list")
    return take_presets(document, contract, monitors, where)


def _read(text: str, where: str) -> object:
    """JSON where it begins like it: tabs, which JSON may be indented with, are no YAML."""
    if text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "["):
        return read_yaml(text, where)
    try:
        found: object = msgspec.json.decode(text.lstrip("\ufeff"))
    except (msgspec.DecodeError, RecursionError):
        # A list or a mapping of YAML may be written like this, too.
        return read_yaml(text, where)
    return found
