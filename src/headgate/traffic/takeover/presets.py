"""Evidently-style presets as words of an endpoint's file: names, each with options or without.

Both generations of names are known, ``DataSummaryPreset`` and ``DataQualityPreset``, ``num_method`` and
``num_stattest``. A preset is a report of many figures, computed when somebody runs it; here most of them are watched
all the time, so most of a preset is so already.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headgate.contracts.contract import Contract
from headgate.traffic.takeover.account import DEFAULTS, Became, Ledger, Takeover
from headgate.traffic.watched import MonitorWords
from headgate.vocabulary import Task

_CLASSES: Final = frozenset({Task.BINARY, Task.MULTICLASS})
_NUMBERS: Final = frozenset({Task.REGRESSION})
_METRICS: Final = "every metric of the task is measured per day of due labels, with intervals, by performance and risk"
_RULES: Final = "every row is held to the contract: kinds, nulls, ranges, categories; refusals are counted by rule"


@dataclass(frozen=True, slots=True)
class Preset:
    """What stands here for a preset."""

    says: str
    compares: bool = False
    """Whether it asks that inputs are compared with the reference."""
    tasks: frozenset[Task] | None = None
    """The tasks it is for; None is for all."""
    exists: bool = True
    """Whether anything stands for it."""


_DRIFT: Final = Preset("", compares=True)
_QUALITY: Final = Preset(_RULES)
_CLASSIFICATION: Final = Preset(_METRICS, tasks=_CLASSES)
_REGRESSION: Final = Preset(_METRICS, tasks=_NUMBERS)
_TARGET: Final = Preset("answers and labels are not compared with those of the reference", exists=False)
_RANKING: Final = Preset("there are no metrics of rankings", exists=False)
_TEXTS: Final = Preset("texts are held to the contract as texts; what is in them is not described", exists=False)
_DUMMY: Final = Preset("headgate evaluate measures every version beside a dummy", tasks=_CLASSES | _NUMBERS)
PRESETS: Final[Mapping[str, Preset]] = {
    "DataDriftPreset": _DRIFT,
    "DataDriftTestPreset": _DRIFT,
    "DataStabilityTestPreset": _QUALITY,
    "DataQualityPreset": _QUALITY,
    "DataQualityTestPreset": _QUALITY,
    "DataSummaryPreset": _QUALITY,
    "DatasetStats": _QUALITY,
    "TargetDriftPreset": _TARGET,
    "NoTargetPerformanceTestPreset": _DRIFT,
    "ClassificationPreset": _CLASSIFICATION,
    "ClassificationQuality": _CLASSIFICATION,
    "ClassificationQualityByLabel": Preset("no metrics by class are watched", exists=False),
    "BinaryClassificationTestPreset": _CLASSIFICATION,
    "BinaryClassificationTopKTestPreset": _CLASSIFICATION,
    "MulticlassClassificationTestPreset": _CLASSIFICATION,
    "ClassificationDummyQuality": _DUMMY,
    "RegressionPreset": _REGRESSION,
    "RegressionQuality": _REGRESSION,
    "RegressionTestPreset": _REGRESSION,
    "RegressionDummyQuality": _DUMMY,
    "RecsysPreset": _RANKING,
    "RecsysTestPreset": _RANKING,
    "TextEvals": _TEXTS,
    "TextOverviewPreset": _TEXTS,
}
"""By the name a file calls it."""
_RATE: Final = (
    "alarms are held to a rate and not to a threshold: monitors.false_alarms; which method compares a field is fixed "
    "by its kind"
)
_GATE: Final = "a bound on a figure is a gate of an evaluation: headgate evaluate VERSION ROWS --gate '...'"
_OPTIONS: Final = (
    (r"((cat|num|text|per_column|per_feature|all_features)_)?(method|stattest|threshold|stattest_threshold)", _RATE),
    (r"drift_share|(cat|num)_target_stattest(_threshold)?", _RATE),
    (r"embeddings(_drift_method)?", "embeddings of texts and images are no fields of a contract"),
    (r"probas_threshold|prob_threshold", "the class that the model itself answers is what is judged"),
    (r"k", "the class with the highest score is what is judged"),
    (r"pred_actual_plot|error_plot|error_distr|conf_matrix|pr_curve|pr_table", "it says what is drawn"),
    (r"classification_name|regression_name", "an endpoint has one task"),
    (r"tests|.+_tests", _GATE),
)
"""Options without a counterpart, and why."""


def take_presets(
    document: object, contract: Contract, monitors: MonitorWords = DEFAULTS, where: str = "presets.yaml"
) -> Takeover:
    """The words once the presets of `document` were taken over: a list of names, or names with their options.

    Raises BadConfiguration naming the key and the rule it breaks; a preset that is not known is an error.

    >>> found = take_presets([{"DataDriftPreset": {"drift_share": 0.3}}, "DataSummaryPreset"], Contract(()))
    >>> found.monitors.reference.value, [each.became.value for each in found.entries]
    ('package', ['taken', 'not taken', 'already so'])
    """
    ledger = Ledger(where, contract, monitors)
    for key, name, options in _presets(ledger, document):
        known = PRESETS.get(name)
        if known is None:
            raise ledger.wrong(key, f"'{name[:60]}' is no preset that is known; there are {', '.join(PRESETS)}")
        _preset(ledger, key, known)
        for option, value in options.items():
            _option(ledger, f"{key}.{option}", option, value)
    return ledger.done


def _presets(ledger: Ledger, document: object) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each preset with its key, its name and its options."""
    if isinstance(document, dict) and len(document) == 1 and "presets" in document:
        document = document["presets"]
    if isinstance(document, dict):
        yield from ((name, name, _options(ledger, name, options)) for name, options in document.items())
        return
    for place, each in ledger.items(document, "presets"):
        if isinstance(each, str):
            yield place, each, {}
            continue
        if len(ledger.mapping(each, place)) != 1:
            raise ledger.wrong(place, "must be a preset's name, or one name with its options")
        [(name, options)] = each.items()
        yield place, ledger.text(name, place), _options(ledger, f"{place}.{name}", options)


def _options(ledger: Ledger, key: str, found: object) -> dict[str, Any]:
    return {} if found is None else ledger.mapping(found, key)


def _preset(ledger: Ledger, key: str, preset: Preset) -> None:
    task = ledger.contract.output.task
    if preset.tasks is not None and task not in preset.tasks:
        ledger.note(key, Became.NOT, f"the model's task is {task}, and this is for {' or '.join(sorted(preset.tasks))}")
    elif preset.compares:
        ledger.compare(key, wanted=True)
    else:
        ledger.note(key, Became.ALREADY if preset.exists else Became.NOT, preset.says)


def _option(ledger: Ledger, key: str, name: str, value: object) -> None:
    if name == "columns":
        _columns(ledger, key, value)
    elif name == "include_tests":
        ledger.truth(value, key)
        ledger.note(key, Became.ALREADY, "whatever is watched is judged")
    else:
        ledger.note(key, Became.NOT, _why_not(name))


def _why_not(name: str) -> str:
    unknown = "is no option that is known; nothing here stands for it"
    return next((why for pattern, why in _OPTIONS if re.fullmatch(pattern, name)), unknown)


def _columns(ledger: Ledger, key: str, value: object) -> None:
    """Which columns a preset is about: here all public fields whose values are kept are compared."""
    if value is None:
        ledger.note(key, Became.ALREADY, "all fields that can be watched are")
        return
    for place, each in ledger.items(value, key):
        name = ledger.text(each, place)
        if name in ledger.contract.names:
            ledger.note(place, Became.ALREADY, "all fields that can be watched are")
        else:
            ledger.note(place, Became.NOT, f"the contract has no field '{name}'; the model does not read it")
