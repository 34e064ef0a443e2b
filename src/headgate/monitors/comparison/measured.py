"""The figures of one column: a test and its effects, from what both sides were counted into.

Numbers are tested by Kolmogorov-Smirnov, categories by chi-square of the table of both samples. Effects are shown and
never decide: how large they are without drift depends on the number of rows.
"""

import math

import numpy as np

from headgate.evaluation.estimate import Undefined
from headgate.monitors.comparison.category_sketches import CategorySketch, compared_cells
from headgate.monitors.comparison.contingency import cramers_v, table_test
from headgate.monitors.comparison.distances import Counts, hellinger, jensen_shannon, l_infinity, psi_of_size
from headgate.monitors.comparison.compared import ComparedColumn, Drift, Figure, Present
from headgate.monitors.comparison.sketched import Bounds, decile_counts, ks_bounds, wasserstein_bounds
from headgate.monitors.comparison.sketches import NumberSketch
from headgate.monitors.comparison.two_samples import ks_p_value


def compared_numbers(
    name: str,
    aspect: str,
    reference: NumberSketch,
    current: NumberSketch,
    exact: tuple[float, float, float] | None = None,
) -> ComparedColumn:
    """The figures of a column of numbers; with `exact`, its KS statistic, its p-value and its Wasserstein distance.

    Without, the statistic and the distance have error bounds, and p is that of the statistic's lower bound: counting
    in cells alone never makes a drift.
    """
    before, after = _present(reference), _present(current)
    if (reason := _without_values(before, after)) is not None:
        return _silent(name, aspect, before, after, reason)
    if exact is None:
        ks, area = ks_bounds(reference, current), wasserstein_bounds(reference, current)
        p = ks_p_value(ks.low, before.finite, after.finite)
    else:
        ks, p, area = Bounds(exact[0], exact[0]), exact[1], Bounds(exact[2], exact[2])
    absent = _absent_p(before, after)
    constant = reference.minimum == reference.maximum == current.minimum == current.maximum
    return ComparedColumn(
        name=name,
        aspect=aspect,
        reference=before,
        current=after,
        test="Kolmogorov-Smirnov",
        statistic=Figure(ks.value, ks.error),
        p=_smaller(p, absent),
        absent_p=absent,
        effects={**_distances(*decile_counts(reference, current)), **_moves(area, reference, current)},
        reason="every value of both is one and the same" if constant else "",
    )


def compared_categories(name: str, aspect: str, reference: CategorySketch, current: CategorySketch) -> ComparedColumn:
    """The figures of a column of categories."""
    before, after = Present(reference.rows, reference.missing), Present(current.rows, current.missing)
    if (reason := _without_values(before, after)) is not None:
        return _silent(name, aspect, before, after, reason)
    ours, theirs = compared_cells(reference, current)
    found, absent = table_test(ours, theirs), _absent_p(before, after)
    single = isinstance(found, Undefined)
    return ComparedColumn(
        name=name,
        aspect=aspect,
        reference=before,
        current=after,
        test="" if isinstance(found, Undefined) else found.name,
        statistic=Figure(None, reason=found.reason) if isinstance(found, Undefined) else Figure(found.statistic),
        p=_smaller(1.0 if isinstance(found, Undefined) else found.p, absent),
        absent_p=absent,
        effects={
            **_distances(ours, theirs),
            **_by_name(reference, current),
            "cramers_v": _figure(cramers_v(ours, theirs)),
        },
        reason="every row of both is of one and the same category" if single else "",
    )


def _present(sketch: NumberSketch) -> Present:
    return Present(sketch.rows, sketch.missing, sketch.infinite + sketch.negative_infinite)


def _without_values(before: Present, after: Present) -> str | None:
    for side, where in ((before, "the reference"), (after, "the window")):
        if not side.rows:
            return f"{where} has no rows"
        if not side.finite:
            return f"every value in {where} is {'missing' if side.missing == side.rows else 'missing or infinite'}"
    return None


def _silent(name: str, aspect: str, before: Present, after: Present, reason: str) -> ComparedColumn:
    return ComparedColumn(name=name, aspect=aspect, reference=before, current=after, verdict=Drift.BROKEN, reason=reason)


def _absent_p(before: Present, after: Present) -> float | None:
    """Whether values are missing, or infinite, more or less often; None where none is."""
    table = (np.array([each.finite, each.missing, each.infinite]) for each in (before, after))
    found = table_test(*table)
    return None if isinstance(found, Undefined) else found.p


def _smaller(p: float, absent: float | None) -> float:
    """Of two tests of one column, Bonferroni's."""
    return p if absent is None else min(1.0, 2 * min(p, absent))


def _distances(before: Counts, after: Counts) -> dict[str, Figure]:
    """Those of counts in bins."""
    size, shape = psi_of_size(before, after), jensen_shannon(before, after)
    known = None if isinstance(size, Undefined) else size
    none = Figure(None, reason=size.reason) if isinstance(size, Undefined) else Figure(None)
    return {
        "psi": none if known is None else Figure(known.value),
        "psi_critical": none if known is None else Figure(known.critical),
        "jensen_shannon": Figure(shape.distance),
        "jensen_shannon_evidently": Figure(shape.natural_distance),
        "jensen_shannon_tfdv": Figure(shape.divergence),
        "hellinger": Figure(hellinger(before, after)),
        "l_infinity": Figure(l_infinity(before, after)),
    }


def _moves(area: Bounds, reference: NumberSketch, current: NumberSketch) -> dict[str, Figure]:
    """How far the values have moved: in the column's unit, and in the reference's standard deviations."""
    spread = reference.deviation
    far = Figure(area.value, area.error) if math.isfinite(area.value) else _beyond()
    if not spread or not math.isfinite(spread):
        reason = "the reference does not vary" if spread == 0 else "the reference's deviation lies beyond the floats"
        return {
            "wasserstein": far,
            "wasserstein_normed": Figure(None, reason=reason),
            "mean_shift": Figure(None, reason=reason),
        }
    normed = _beyond() if far.value is None else Figure(far.value / spread, far.error / spread)
    shift = (current.mean - reference.mean) / spread
    return {
        "wasserstein": far,
        "wasserstein_normed": normed,
        "mean_shift": Figure(shift) if math.isfinite(shift) else _beyond(),
    }


def _beyond() -> Figure:
    return Figure(None, reason="it lies beyond the floats")


def _by_name(reference: CategorySketch, current: CategorySketch) -> dict[str, Figure]:
    """What the most changed category has gained or lost, and how many rows are of new ones."""
    shares = [{name: count / each.rows for name, count in each.counts.items()} for each in (reference, current)]
    error = max(reference.error / reference.rows, current.error / current.rows)
    gaps = [abs(shares[0].get(name, 0.0) - shares[1].get(name, 0.0)) for name in shares[0].keys() | shares[1].keys()]
    new = sum(share for name, share in shares[1].items() if name not in shares[0])
    return {
        "l_infinity": Figure(max(gaps, default=0.0), error),
        "new_categories": Figure(None, reason="the reference has too many to tell")
        if reference.error
        else Figure(new, current.others / current.rows),
    }


def _figure(found: float | Undefined) -> Figure:
    return Figure(None, reason=found.reason) if isinstance(found, Undefined) else Figure(found)
