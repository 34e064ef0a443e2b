"""Gates: sentences a model must fulfil before it may take traffic, parsed and judged.

A sentence is ``METRIC >= NUMBER`` (or ``>``, ``<=``, ``<``), ``METRIC not worse than RIVAL by NUMBER`` or
``METRIC better than RIVAL by NUMBER`` (without ``by``: 0), with RIVAL ``champion`` or ``dummy``; then, if
wanted, ``in every slice of FIELD``; then, if wanted, ``with confidence``. Which way is worse comes from the
metric.

By default the point estimate decides. ``with confidence`` asks the interval: a gate passes when even the
unfavourable end meets it, fails when even the favourable end does not, and is undecided in between, which
more rows would settle. Against a rival the figure is the paired difference on the same rows.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate
from headgate.evaluation.figures import Figures
from headgate.evaluation.metrics import METRICS, metric
from headgate.evaluation.slices import Slice
from headgate.evaluation.table import digits, shown

RIVALS: Final = ("champion", "dummy")
FORMS: Final = (
    "METRIC >= NUMBER, METRIC <= NUMBER, METRIC not worse than champion|dummy by NUMBER, "
    "METRIC better than champion|dummy by NUMBER; then 'in every slice of FIELD', then 'with confidence'"
)
SLICES: Final = "in every slice of "
CONFIDENT: Final = " with confidence"


class Outcome(StrEnum):
    """What came of a gate, or of all of them."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    """The figures do not say: something has no value, or too few rows; it does not count as passed."""


class Asks(StrEnum):
    """How a gate compares."""

    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    BELOW = "<"
    NOT_WORSE = "not worse than"
    BETTER = "better than"


@dataclass(frozen=True, slots=True)
class Gate:
    """One parsed sentence."""

    text: str
    metric: str
    asks: Asks
    number: float
    """The threshold, or against a rival the margin, in the metric's unit."""
    rival: str = ""
    """``champion``, ``dummy`` or empty."""
    slices: str = ""
    """Field in whose every slice it must hold; empty for all rows together."""
    confident: bool = False
    """Whether the interval decides instead of the point estimate."""


class GateResult(msgspec.Struct, frozen=True):
    """A gate with what came of it."""

    gate: str
    outcome: Outcome
    sentence: str
    """The outcome in words, with the figures."""


class Measured(Protocol):
    """What gates are judged on: a report, finished or not."""

    @property
    def overall(self) -> Figures:
        """Figures of all rows."""
        ...

    @property
    def slices(self) -> Sequence[Slice]:
        """Figures of every slice."""
        ...


def parse_gate(text: str) -> Gate:
    """The gate a sentence describes; headgate.errors.BadInput names the part that is wrong.

    >>> parse_gate("auc >= 0.65").number
    0.65
    >>> gate = parse_gate("log_loss not worse than champion by 0.01 in every slice of carrier with confidence")
    >>> gate.rival, gate.slices, gate.confident
    ('champion', 'carrier', True)
    """
    plain = " ".join(text.split())
    rest, confident = (plain.removesuffix(CONFIDENT), True) if plain.endswith(CONFIDENT) else (plain, False)
    rest, _, field = rest.partition(" " + SLICES)
    words = rest.split(" ")
    if len(words) < 2 or (SLICES.strip() in rest and not field):
        raise BadInput("gate", "form", f"this is no gate; write {FORMS}")
    try:
        known = metric(words[0])
    except BadInput as wrong:
        raise BadInput("gate", wrong.rule, f"the first word must be a metric: {wrong.message}") from None
    if words[1] in (">=", ">", "<=", "<"):
        if len(words) != 3:
            raise BadInput("gate", "form", f"after '{words[1]}' comes one number; write {FORMS}")
        return Gate(plain, known.name, Asks(words[1]), _number(words[2]), "", field, confident)
    asks = next((each for each in (Asks.NOT_WORSE, Asks.BETTER) if " ".join(words[1:]).startswith(f"{each} ")), None)
    if asks is None:
        raise BadInput("gate", "form", f"after the metric comes a comparison; write {FORMS}")
    tail = words[1 + len(asks.split(" ")) :]
    if tail[0] not in RIVALS:
        raise BadInput("gate", "rival", f"a model is compared with {' or '.join(RIVALS)}")
    if len(tail) != 1 and (len(tail) != 3 or tail[1] != "by"):
        raise BadInput("gate", "form", f"after '{tail[0]}' comes 'by' and a number, or nothing; write {FORMS}")
    margin = _number(tail[2]) if len(tail) == 3 else 0.0
    if margin < 0:
        raise BadInput("gate", "range", "a margin is not negative: turn 'better' into 'not worse' instead")
    return Gate(plain, known.name, asks, margin, tail[0], field, confident)


def _number(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadInput("gate", "number", "the threshold or margin must be a finite number such as 0.65")
    return number


def judge(gates: Iterable[Gate], report: Measured) -> tuple[GateResult, ...]:
    """Each gate with its outcome and a sentence, in order."""
    return tuple(_in_slices(each, report) if each.slices else _overall(each, report.overall) for each in gates)


def verdict(results: Sequence[GateResult]) -> Outcome:
    """Failed if a gate failed, passed if there are gates and all passed, undecided otherwise."""
    return _together([each.outcome for each in results])


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    if Outcome.FAILED in outcomes:
        return Outcome.FAILED
    return Outcome.PASSED if outcomes and Outcome.UNDECIDED not in outcomes else Outcome.UNDECIDED


def _overall(gate: Gate, figures: Figures) -> GateResult:
    outcome, words = _judge(gate, figures)
    return GateResult(gate.text, outcome, words)


def _in_slices(gate: Gate, report: Measured) -> GateResult:
    mine = [each for each in report.slices if each.field == gate.slices]
    large = [each for each in mine if each.measured]
    small = len(mine) - len(large)
    aside = f"; {small} with fewer rows than a slice needs not judged" if small else ""
    if not large:
        why = f"no slice of {gate.slices} has enough rows" if mine else f"{gate.slices} was not sliced"
        return GateResult(gate.text, Outcome.UNDECIDED, why)
    judged = [(each.value, *_judge(gate, each)) for each in large]
    outcome = _together([each for _, each, _ in judged])
    if outcome is Outcome.PASSED:
        return GateResult(gate.text, outcome, f"holds in all {len(large)} slices of {gate.slices}{aside}")
    against = [(value, words) for value, each, words in judged if each is outcome]
    shown = "; ".join(f"{value}: {words}" for value, words in against[:3])
    more = f"; and {len(against) - 3} more" if len(against) > 3 else ""
    counted = f"{outcome} in {len(against)} of {len(large)} slices of {gate.slices}"
    return GateResult(gate.text, outcome, f"{counted}: {shown}{more}{aside}")


def _judge(gate: Gate, figures: Figures) -> tuple[Outcome, str]:
    if gate.rival:
        return _against(gate, figures)
    found = figures.estimates.get(gate.metric)
    if found is None or found.value is None:
        return Outcome.UNDECIDED, _unknown(gate, found)
    upwards = gate.asks in (Asks.AT_LEAST, Asks.ABOVE)
    strict = gate.asks in (Asks.ABOVE, Asks.BELOW)
    outcome = _decide(gate, found, gate.number, upwards=upwards, strict=strict)
    return outcome, f"{gate.metric} is {shown(found)}, asked was {gate.asks} {gate.number:g}"


def _against(gate: Gate, figures: Figures) -> tuple[Outcome, str]:
    rivals, differences = (
        (figures.champion, figures.over_champion)
        if gate.rival == "champion"
        else (figures.baseline, figures.over_baseline)
    )
    found, rival = differences.get(gate.metric), rivals.get(gate.metric)
    if not rivals:
        return Outcome.UNDECIDED, f"there is no {gate.rival} to compare with: judge the first version by a number"
    if found is None or found.value is None or rival is None or rival.value is None:
        return Outcome.UNDECIDED, _unknown(gate, found)
    upwards = metric(gate.metric).higher_is_better
    wanted = gate.number if gate.asks is Asks.BETTER else -gate.number
    strict = gate.asks is Asks.BETTER and gate.number == 0
    outcome = _decide(gate, found, wanted if upwards else -wanted, upwards=upwards, strict=strict)
    direction = "better" if metric(gate.metric).better(found.value) > 0 else "worse"
    gap = f"{digits(abs(found.value))} {direction} than" if found.value else "the same as"
    limit = f" by {gate.number:g}" if gate.number else ""
    figure = f"{gate.metric} {shown(figures.estimates[gate.metric])} is {gap} the {gate.rival}'s {digits(rival.value)}"
    return outcome, f"{figure} (difference {shown(found, sign='+')}), asked was {gate.asks} {gate.rival}{limit}"


def _decide(gate: Gate, found: Estimate, wanted: float, *, upwards: bool, strict: bool) -> Outcome:
    def meets(value: float) -> bool:
        if value == wanted:
            return not strict
        return (value > wanted) is upwards

    if not gate.confident:
        assert found.value is not None  # noqa: S101 - callers look first
        return Outcome.PASSED if meets(found.value) else Outcome.FAILED
    if found.low is None or found.high is None:
        return Outcome.UNDECIDED
    near, far = (found.low, found.high) if upwards else (found.high, found.low)
    if meets(near):
        return Outcome.PASSED
    return Outcome.UNDECIDED if meets(far) else Outcome.FAILED


def _unknown(gate: Gate, found: Estimate | None) -> str:
    return f"{gate.metric} has no value: {found.reason if found else 'it was not measured'}"


WORDS: Final = (*METRICS, *RIVALS, *(str(each) for each in Asks), "by", SLICES.strip(), CONFIDENT.strip())
"""Every word a gate may be made of, for documentation and completion."""
