"""The figures of one column: a test and its effects, from what both sides were counted into.

Numbers are tested by Kolmogorov-Smirnov, categories by chi-square of the table of both samples. Effects are shown and
never decide: how large they are without drift depends on the number of rows.
"""

import math
from typing import Final

import msgspec
import numpy as np

from headgate.evaluation.estimate import Undefined
from headgate.monitors.comparison.category_sketches import CategorySketch, compared_cells
from headgate.monitors.comparison.compared import ComparedColumn, Figure, Present, unmeasured
from headgate.monitors.comparison.contingency import cramers_v, table_test
from headgate.monitors.comparison.distances import Counts, Psi, hellinger, jensen_shannon, l_infinity, psi_of_size
from headgate.monitors.comparison.p_values import ks_p_value
from headgate.monitors.comparison.sketched import Bounds, decile_counts, ks_bounds, wasserstein_bounds
from headgate.monitors.comparison.sketches import NumberSketch
from headgate.monitors.standing import Shortfall, broken, undecided

_BEYOND: Final = "it lies beyond the floats"


def compared_numbers(
    name: str,
    aspect: str,
    reference: NumberSketch,
    current: NumberSketch,
    exact: tuple[Bounds, Bounds] | None = None,
) -> ComparedColumn:
    """The figures of a column of numbers; `exact` are its KS statistic and Wasserstein distance where they are known.

    Without, both are bounded by the sketches, and p is that of the statistic's lower bound: counting in cells alone
    never makes a drift.
    """
    before, after = _present(reference), _present(current)
    if (why := _without_values(before, after)) is not None:
        return msgspec.structs.replace(unmeasured(name, why, aspect), reference=before, current=after)
    ks, area = exact or (ks_bounds(reference, current), wasserstein_bounds(reference, current))
    absent = _absent_p(before, after)
    extremes = {each for side in (reference, current) for each in (side.totals.minimum, side.totals.maximum)}
    counts = decile_counts(reference, current)
    return ComparedColumn(
        name=name,
        aspect=aspect,
        reference=before,
        current=after,
        test="Kolmogorov-Smirnov",
        statistic=Figure(ks.value, ks.error),
        p=_smaller(ks_p_value(ks.low, before.finite, after.finite), absent),
        absent_p=absent,
        bins=f"{len(counts[0])} bins at the reference's deciles",
        effects={**_distances(*counts), **_moves(area, reference, current)},
        reason="every value of both is one and the same" if len(extremes) == 1 else "",
    )


def compared_categories(name: str, aspect: str, reference: CategorySketch, current: CategorySketch) -> ComparedColumn:
    """The figures of a column of categories."""
    before, after = Present(reference.rows, reference.missing), Present(current.rows, current.missing)
    if (why := _without_values(before, after)) is not None:
        return msgspec.structs.replace(unmeasured(name, why, aspect), reference=before, current=after)
    cells = compared_cells(reference, current)
    found, absent = table_test(cells.reference, cells.current), _absent_p(before, after)
    if isinstance(found, Undefined):
        p, test, statistic = 1.0, "", Figure(None, reason=found.reason)
        reason = "every row of both is of one and the same category"
    else:
        p, test, statistic, reason = found.p, found.name, Figure(found.statistic), ""
    return ComparedColumn(
        name=name,
        aspect=aspect,
        reference=before,
        current=after,
        test=test,
        statistic=statistic,
        p=_smaller(p, absent),
        absent_p=absent,
        bins=f"{len(cells.reference):,} {cells.what}",
        effects={
            **_distances(cells.reference, cells.current),
            **_by_name(reference, current),
            "cramers_v": _figure(cramers_v(cells.reference, cells.current)),
            "cramers_v_by_rows": _figure(cramers_v(cells.reference, cells.current, by_rows=True)),
        },
        reason=reason,
    )


def _present(sketch: NumberSketch) -> Present:
    return Present(sketch.rows, sketch.totals.missing, sketch.totals.infinite + sketch.totals.negative_infinite)


def _without_values(before: Present, after: Present) -> Shortfall | None:
    for side, where in ((before, "the reference"), (after, "the window")):
        if not side.rows:
            return undecided(f"{where} has no rows")
        if not side.finite:
            lost = "missing" if side.missing == side.rows else "missing or infinite"
            return broken(f"every value in {where} is {lost}")
    return None


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
    shape = jensen_shannon(before, after)
    return {
        **_psi(psi_of_size(before, after)),
        "jensen_shannon": Figure(shape.distance),
        "jensen_shannon_evidently": Figure(shape.natural_distance),
        "jensen_shannon_tfdv": Figure(shape.divergence),
        "hellinger": Figure(hellinger(before, after)),
        "l_infinity": Figure(l_infinity(before, after)),
    }


def _psi(size: Psi | Undefined) -> dict[str, Figure]:
    if isinstance(size, Undefined):
        return dict.fromkeys(("psi", "psi_critical", "psi_critical_published"), Figure(None, reason=size.reason))
    return {
        "psi": Figure(size.value),
        "psi_critical": Figure(size.critical),
        "psi_critical_published": Figure(size.critical_published),
    }


def _moves(area: Bounds, reference: NumberSketch, current: NumberSketch) -> dict[str, Figure]:
    """How far the values have moved: in the column's unit, and in the reference's standard deviations."""
    spread = reference.deviation
    if not spread or not math.isfinite(spread):
        nothing = Figure(None, reason="the reference does not vary" if spread == 0 else _BEYOND)
        return {"wasserstein": _within(area), "wasserstein_normed": nothing, "mean_shift": nothing}
    shift = (current.mean - reference.mean) / spread
    return {
        "wasserstein": _within(area),
        "wasserstein_normed": _within(Bounds(area.low / spread, area.high / spread)),
        "mean_shift": _within(Bounds(shift, shift)),
    }


def _within(bounds: Bounds) -> Figure:
    known = math.isfinite(bounds.value)
    return Figure(bounds.value, bounds.error) if known else Figure(None, reason=_BEYOND)


def _by_name(reference: CategorySketch, current: CategorySketch) -> dict[str, Figure]:
    """What the most changed category has gained or lost, and how many rows are of new ones."""
    ours, theirs = ({name: count / each.rows for name, count in each.counts.items()} for each in (reference, current))
    error = max(reference.error / reference.rows, current.error / current.rows)
    gaps = [abs(ours.get(name, 0.0) - theirs.get(name, 0.0)) for name in ours.keys() | theirs.keys()]
    new = sum(share for name, share in theirs.items() if name not in ours)
    unknown = Figure(None, reason="the reference has too many to tell")
    return {
        "l_infinity": Figure(max(gaps, default=0.0), error),
        "new_categories": unknown if reference.error else Figure(new, current.others / current.rows),
    }


def _figure(found: float | Undefined) -> Figure:
    return Figure(None, reason=found.reason) if isinstance(found, Undefined) else Figure(found)
