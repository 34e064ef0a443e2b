"""Which monitors watch an endpoint: what its file says and its version's reference make of them.

One budget of false alarms is shared by all of them. A new monitor is a line here, and nothing else changes.
"""

from typing import Final

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract, Output
from headgate.evaluation.report import Report
from headgate.monitors.alarms.drift import InputDrift
from headgate.monitors.alarms.risk import RiskDrift
from headgate.monitors.alarms.terms import INPUT, Budget, Terms
from headgate.monitors.standing import undecided
from headgate.monitors.watch.aspects import Aspect, errors, fallbacks, refusals, slow, wrong
from headgate.monitors.watch.drift import Drift, features_of
from headgate.monitors.watch.estimate import ESTIMATE, Estimate
from headgate.monitors.watch.fairness import FAIRNESS, Fairness
from headgate.monitors.watch.known import Known
from headgate.monitors.watch.labels import LABELS, Labels
from headgate.monitors.watch.losses import Losses
from headgate.monitors.watch.monitor import AnyMonitor
from headgate.monitors.watch.outlying import OUTLIERS, outlier_risk, outlying, stated
from headgate.monitors.watch.performance import PERFORMANCE, Performance
from headgate.monitors.watch.quality import QUALITY, Quality
from headgate.monitors.watch.reconstructed import RECONSTRUCTION, SUBJECT, reconstructed
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import Task

_CLASSES: Final = (Task.BINARY, Task.MULTICLASS)


def roster(
    spec: EndpointSpec,
    version: str,
    output: Output,
    reference: Report | None,
    rows: pa.Table | None = None,
    *,
    held_out: int = 0,
    contract: Contract | None = None,
    known: Known | None = None,
) -> tuple[AnyMonitor, ...]:
    """The monitors of the endpoint of `spec` while `version` is in charge, evaluated with this `reference` if at all.

    `rows` are those it was fitted on, or a sample of them, with a column for every field whose values are journalled;
    None where inputs are not compared with anything. `held_out` are the reference rows that thresholds of outliers were
    set by. `contract` is what inputs are held to, and `known` are the rows the version was evaluated with; without them
    nothing is said of what needs them.

    >>> names = [each.name for each in roster(EndpointSpec("late", "m"), "m:1", Output(Task.REGRESSION), None)]
    >>> names
    ['errors', 'refusals', 'fallbacks', 'performance', 'labels']
    """
    words = spec.monitors
    borne = [
        (errors(), words.errors_percent / 100),
        (refusals(), words.refusals_percent / 100),
        (fallbacks(), words.fallbacks_percent / 100),
    ]
    if spec.slo.latency_p99_ms is not None:
        borne.append((slow(spec.slo.latency_p99_ms), 0.01))
    risk = [wrong(version)] if output.task in _CLASSES else []
    measured = [PERFORMANCE, LABELS] if output.task is not Task.TENSOR else []
    inputs = [] if rows is None else [INPUT, RECONSTRUCTION]
    rate = stated(spec.outliers)
    kinds = [
        *([] if rate is None else [OUTLIERS]),
        *([] if contract is None else [QUALITY]),
        *([] if known is None else [ESTIMATE]),
        *([FAIRNESS] if words.groups else []),
    ]
    names = (*(each.name for each, _ in borne), *(each.name for each in risk), *measured, *inputs, *kinds)
    terms = Terms(Budget(words.policy, names))
    found: list[AnyMonitor] = [
        _losses(spec, each, RiskDrift(name=each.name, terms=terms, mean=bound, bounds=(bound,)))
        for each, bound in borne
    ]
    found += [_losses(spec, each, _risk(each, version, reference, terms, words.tolerance)) for each in risk]
    if measured:
        found.append(Performance(spec.project, spec.endpoint, version, reference, terms, words.tolerance))
        found.append(Labels(spec.project, spec.endpoint, terms))
    if rate is not None:
        found.append(_losses(spec, outlying(), outlier_risk(rate, held_out, terms)))
    if rows is not None:
        machine = InputDrift.of(rows, terms)
        found.append(Drift(spec.project, spec.endpoint, machine, features_of, "fields"))
        found.append(Drift(spec.project, spec.endpoint, *reconstructed(rows, terms), SUBJECT))
    if contract is not None:
        found.append(Quality.of(spec, contract, terms, known))
    if known is not None:
        found.append(Estimate(spec.project, spec.endpoint, version, known, terms, words.tolerance))
    if words.groups:
        found.append(Fairness.of(spec, version, output, terms))
    return tuple(found)


def _losses(spec: EndpointSpec, aspect: Aspect, machine: RiskDrift) -> Losses:
    return Losses(spec.project, spec.endpoint, aspect, machine)


def _risk(aspect: Aspect, version: str, reference: Report | None, terms: Terms, tolerance: float | None) -> RiskDrift:
    """What compares wrong answers with those of the version's evaluation."""
    accuracy = None if reference is None else reference.estimates.get("accuracy")
    if accuracy is None or accuracy.value is None:
        why = f"{version} has no evaluation that says how often it is right; run: headgate evaluate {version} ROWS"
        return RiskDrift(name=aspect.name, terms=terms, shortfall=undecided(why))
    wrong_ones = round((1.0 - accuracy.value) * accuracy.rows)
    losses = np.zeros(accuracy.rows)
    # Of an evaluation it is known how many were wrong and not which: in any order they say the same of the mean.
    losses[np.random.default_rng(0).permutation(accuracy.rows)[:wrong_ones]] = 1.0
    return RiskDrift.of(losses, terms, tolerance=tolerance, name=aspect.name)
