"""What is asked of a challenger, fixed before anybody looks at its answers."""

from typing import Final

import msgspec

from headgate.errors import BadInput
from headgate.evaluation.gates import parse_gate
from headgate.evaluation.metrics import for_task
from headgate.vocabulary import Task, readable

USUAL: Final = {Task.BINARY: "brier", Task.MULTICLASS: "brier", Task.REGRESSION: "mae"}
"""What versions are compared by where nobody says: bounded, or nearly, and no better for a bolder answer."""
WITHOUT_PROBABILITIES: Final = "accuracy"


@readable
class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Metric, margins and error rates of one proof; every default may be kept.

    >>> Terms().usual(Task.BINARY, probabilities=True), Terms().usual(Task.BINARY, probabilities=False)
    ('brier', 'accuracy')
    """

    metric: str = ""
    """By which versions are compared; empty for Brier's score, accuracy without probabilities, MAE for numbers.

    The log loss is clipped: no probability counts as less than `losses.FLOOR`, so that no single row decides."""
    margin: float = 0.0
    """How much worse is not yet worse, in the metric's unit; added to the share."""
    margin_share: float = 0.02
    """The same as a share of what the other version loses: 0.02 is a fiftieth of its loss.

    A metric of which more is better loses what it lacks to 1."""
    alpha: float = 0.05
    """How often a challenger that is worse by more than the margin may pass for no worse."""
    alpha_better: float = 0.01
    """How often one that is no better may pass for better; rarer, because the anchor moves by it."""
    alpha_harm: float = 0.01
    """How often one that does no harm may fail a rail: slices, calibration, disturbed rows, all of them together."""
    minimum_rows: int = 200
    """Labelled rows below which nothing is decided."""
    slices: tuple[str, ...] = ()
    """Fields within whose values the challenger must not be shown to be worse."""
    slice_share: float = 0.1
    """How much more than the champion it may lose within one slice, as a share."""
    gates: tuple[str, ...] = ()
    """Further sentences, as ``headgate evaluate --gate`` takes them."""
    golden: tuple[str, ...] = ()
    """Files of fixed rows with labels; on each the challenger's figure itself is compared, there is no chance in it."""
    golden_share: float = 0.01
    """How much more than the champion it may lose on a golden set, as a share."""
    calibration_worse: float = 0.02
    """By how much its calibration error may exceed the champion's."""
    fairness: tuple[str, ...] = ()
    """Fields whose groups are compared."""
    fairness_measure: str = "equalized_odds_difference"
    """One of ``monitors.fairness.gaps.GAPS``, a difference."""
    fairness_gap: float = 0.1
    """How far groups may lie apart."""
    positive: int | None = None
    """Code of the class that counts as selected; a multiclass task must say which."""
    perturb: bool = True
    """Whether rows are disturbed as well: values missing, unknown or a little off."""
    disturbed_share: float = 0.1
    """How much more than the champion it may lose on disturbed rows, as a share."""
    latency_ratio: float = 2.0
    """How many times the champion's time a row may take."""
    latency_quick_us: float = 2000.0
    """Microseconds a row may take in any case."""
    size_ratio: float = 4.0
    """How many times the champion's bytes its model may have."""
    size_small: int = 50_000_000
    """Bytes it may have in any case."""

    def usual(self, task: Task, *, probabilities: bool) -> str:
        """The name of the metric that decides."""
        if self.metric:
            return self.metric
        return USUAL[task] if probabilities or task is Task.REGRESSION else WITHOUT_PROBABILITIES

    def check(self, task: Task) -> None:
        """Raises BadInput naming a term that is out of its range, or a metric or gate that is none for `task`."""
        if task is Task.TENSOR:
            raise BadInput("task", "task", "a tensor model has no metrics, so nothing can be proved of it")
        for name in ("alpha", "alpha_better", "alpha_harm"):
            if not 0.0 < getattr(self, name) < 0.5:
                raise BadInput(name, "range", "an error rate must lie between 0 and 0.5, neither of them included")
        for name in _NOT_NEGATIVE:
            if not getattr(self, name) >= 0.0:
                raise BadInput(name, "range", "must not be negative")
        for_task(task, ([self.metric] if self.metric else []) + [parse_gate(each).metric for each in self.gates])
        if not self.fairness_measure.endswith("_difference"):
            raise BadInput("fairness_measure", "unknown", "must be a difference, such as equalized_odds_difference")


_NOT_NEGATIVE: Final = (
    "margin", "margin_share", "slice_share", "golden_share", "calibration_worse", "fairness_gap", "disturbed_share",
    "latency_ratio", "latency_quick_us", "size_ratio", "size_small", "minimum_rows",
)  # fmt: skip
