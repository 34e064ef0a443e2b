"""``constraints.json`` of SageMaker Model Monitor as contract rules and words of an endpoint's file.

The format is that of its pre-built container: features with an inferred type, completeness, and constraints on numbers
and strings; and a ``monitoring_config`` for all of them. Kinds of fields are the model's and stay as they are; what the
file says of them is compared, and it is said where it differs.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from headgate.contracts.contract import Contract, Field, Kind
from headgate.traffic.takeover.account import DEFAULTS, Became, Ledger, Takeover
from headgate.traffic.watched import MonitorWords

_NUMBERS: Final = (Kind.NUMBER, Kind.INTEGER)
_KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "Integral": (*_NUMBERS, Kind.BOOLEAN),
    "Fractional": (Kind.NUMBER,),
    "String": (Kind.CATEGORY, Kind.TEXT, Kind.TIMESTAMP, Kind.IMAGE),
    "Unknown": (),
}
"""Which kinds of fields take every value of a type."""
_SWITCH: Final = ("Enabled", "Disabled")
_UNKNOWN: Final = "is no key of the format that is known; nothing here stands for it"
_RATE: Final = (
    "no distance is a threshold here: monitors.false_alarms says how rarely an alarm may be false, and after one "
    "the distances of every field are told"
)
_ROUNDING: Final = 1e-9


def take_constraints(
    document: object, contract: Contract, monitors: MonitorWords = DEFAULTS, where: str = "constraints.json"
) -> Takeover:
    """The contract and the words once the file's `document` was taken over.

    Raises BadConfiguration naming the key and the rule it breaks.

    >>> document = {"features": [{"name": "fee", "num_constraints": {"is_non_negative": True}}]}
    >>> found = take_constraints(document, Contract((Field("fee", Kind.NUMBER),)))
    >>> found.contract.fields[0].minimum, [each.became.value for each in found.entries]
    (0, ['taken'])
    """
    ledger = Ledger(where, contract, monitors)
    for key, value in ledger.mapping(document, "the file").items():
        match key:
            case "version":
                _version(ledger, value)
            case "features":
                for place, each in ledger.items(value, key):
                    _feature(ledger, place, ledger.mapping(each, place))
            case "monitoring_config":
                _config(ledger, ledger.mapping(value, key))
            case _:
                ledger.note(key, Became.NOT, _UNKNOWN)
    return ledger.done


def _version(ledger: Ledger, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != 0:
        raise ledger.wrong("version", "must be 0, the only version of the format there is")
    ledger.note("version", Became.ALREADY, "it is the version that is read")


# Features


def _feature(ledger: Ledger, place: str, feature: dict[str, Any]) -> None:
    if "name" not in feature:
        raise ledger.wrong(f"{place}.name", "must be there")
    name = ledger.text(feature["name"], f"{place}.name")
    rest = {key: value for key, value in feature.items() if key != "name"}
    if name not in ledger.contract.names:
        for key in rest or {"name": name}:
            ledger.note(f"{place}.{key}", Became.NOT, f"the contract has no field '{name}'; the model does not read it")
        return
    for key, value in rest.items():
        known = _OF_A_FEATURE.get(key)
        if known is None:
            ledger.note(f"{place}.{key}", Became.NOT, _UNKNOWN)
        else:
            known(ledger, f"{place}.{key}", ledger.contract.fields[ledger.contract.names.index(name)], value)


def _kind(ledger: Ledger, key: str, field: Field, value: object) -> None:
    says = ledger.text(value, key, tuple(_KINDS))
    if field.kind in _KINDS[says]:
        ledger.note(key, Became.ALREADY, f"kind: {field.kind} takes every value of it")
    else:
        ledger.note(key, Became.NOT, f"the model reads {field.kind}, so the contract asks for that")


def _completeness(ledger: Ledger, key: str, field: Field, value: object) -> None:
    missing = 1.0 - ledger.share(value, key)
    if not field.nullable:
        says = (
            "the model reads no nulls: such a row is refused" if missing else "nullable: false: such a row is refused"
        )
        ledger.note(key, Became.NOT if missing else Became.ALREADY, says)
    elif not missing:
        ledger.put(replace(field, nullable=False, expected_missing=0.0))
        ledger.note(key, Became.TAKEN, "nullable: false: a row without it is refused, and refusals are watched")
    elif abs(field.expected_missing - missing) <= _ROUNDING:
        ledger.note(key, Became.ALREADY, f"expected_missing: {missing:.6g}")
    else:
        ledger.put(replace(field, expected_missing=missing))
        ledger.note(key, Became.TAKEN, f"expected_missing: {missing:.6g}")


def _numbers(ledger: Ledger, key: str, field: Field, value: object) -> None:
    for name, each in ledger.mapping(value, key).items():
        if name != "is_non_negative":
            ledger.note(f"{key}.{name}", Became.NOT, _UNKNOWN)
            continue
        _non_negative(ledger, f"{key}.{name}", field, asked=ledger.truth(each, f"{key}.{name}"))


def _non_negative(ledger: Ledger, key: str, field: Field, *, asked: bool) -> None:
    if not asked:
        ledger.note(key, Became.ALREADY, "nothing is asked")
    elif field.kind not in _NUMBERS:
        ledger.note(key, Became.NOT, f"the field is a {field.kind}, which has no least value")
    elif field.minimum is not None and field.minimum >= 0:
        ledger.note(key, Became.ALREADY, f"minimum: {field.minimum:g}")
    elif field.maximum is not None and field.maximum < 0:
        ledger.note(key, Became.NOT, f"the contract has maximum: {field.maximum:g}, so that no value would be left")
    else:
        ledger.put(replace(field, minimum=0))
        ledger.note(key, Became.TAKEN, f"minimum: 0; a row below is answered and flagged (on_range: {field.on_range})")


def _strings(ledger: Ledger, key: str, field: Field, value: object) -> None:
    for name, each in ledger.mapping(value, key).items():
        if name != "domains":
            ledger.note(f"{key}.{name}", Became.NOT, _UNKNOWN)
            continue
        place = f"{key}.domains"
        _domain(ledger, place, field, tuple(ledger.text(one, where) for where, one in ledger.items(each, place)))


def _domain(ledger: Ledger, key: str, field: Field, values: tuple[str, ...]) -> None:
    known = set(field.domain or ())
    if field.kind is not Kind.CATEGORY:
        ledger.note(key, Became.NOT, f"the field is a {field.kind}, which has no set of values")
    elif not values:
        ledger.note(key, Became.ALREADY, "nothing is asked")
    elif set(values) == known:
        ledger.note(key, Became.ALREADY, f"domain: the same {len(known)} categories")
    else:
        ledger.put(replace(field, domain=tuple(sorted(set(values)))))
        new, gone = len(set(values) - known), len(known - set(values))
        says = f"domain: {len(set(values))} categories, {new} of them new to the contract, {gone} of it left out"
        ledger.note(key, Became.TAKEN, f"{says}; another is answered and flagged (on_domain: {field.on_domain})")


def _overrides(ledger: Ledger, key: str, field: Field, value: object) -> None:
    found = ledger.mapping(value, key)
    ledger.leave(found.items(), f"{key}.", f"words hold for the whole endpoint, not for '{field.name}' alone")
    if not found:
        ledger.note(key, Became.ALREADY, "nothing is asked")


_OF_A_FEATURE: Final[Mapping[str, Callable[[Ledger, str, Field, object], None]]] = {
    "inferred_type": _kind,
    "completeness": _completeness,
    "num_constraints": _numbers,
    "string_constraints": _strings,
    "monitoringConfigOverrides": _overrides,
}


# All of them together


def _config(ledger: Ledger, config: dict[str, Any]) -> None:
    for name, value in config.items():
        key = f"monitoring_config.{name}"
        match name:
            case "evaluate_constraints":
                on = ledger.text(value, key, _SWITCH) == "Enabled"
                says = "every row is held to the contract before a model sees it"
                ledger.note(key, Became.ALREADY if on else Became.NOT, says)
            case "emit_metrics":
                on = ledger.text(value, key, _SWITCH) == "Enabled"
                ledger.note(key, Became.ALREADY if on else Became.NOT, "metrics are always told, at /metrics")
            case "datatype_check_threshold":
                _refusals(ledger, key, ledger.share(value, key))
            case "domain_content_threshold":
                ledger.share(value, key)
                says = "a category outside its domain is flagged row by row; no share of them is borne by a word"
                ledger.note(key, Became.NOT, says)
            case "distribution_constraints":
                _distributions(ledger, key, ledger.mapping(value, key))
            case _:
                ledger.note(key, Became.NOT, _UNKNOWN)


def _refusals(ledger: Ledger, key: str, share: float) -> None:
    """A row of another type is refused here, so the share that is borne is that of refusals."""
    percent = round(100 * share, 9)
    if not 0 < share < 1:
        says = "monitors.refusals_percent lies between 0 and 100, neither of them included: it stays as it is"
        ledger.note(key, Became.NOT, says)
    elif percent == ledger.monitors.refusals_percent:
        ledger.note(key, Became.ALREADY, f"monitors.refusals_percent: {percent:g}")
    else:
        ledger.monitors = msgspec.structs.replace(ledger.monitors, refusals_percent=percent)
        ledger.note(key, Became.TAKEN, f"monitors.refusals_percent: {percent:g}, for a row of another type is refused")


def _distributions(ledger: Ledger, before: str, asked: dict[str, Any]) -> None:
    for name, value in asked.items():
        key = f"{before}.{name}"
        match name:
            case "perform_comparison":
                ledger.compare(key, wanted=ledger.text(value, key, _SWITCH) == "Enabled")
            case "comparison_threshold" | "categorical_comparison_threshold":
                ledger.share(value, key)
                ledger.note(key, Became.NOT, _RATE)
            case "comparison_method":
                ledger.text(value, key, ("Simple", "Robust"))
                ledger.note(key, Became.NOT, _RATE)
            case "categorical_drift_method":
                ledger.text(value, key, ("LInfinity", "ChiSquared"))
                ledger.note(key, Became.NOT, _RATE)
            case _:
                ledger.note(key, Became.NOT, _UNKNOWN)
