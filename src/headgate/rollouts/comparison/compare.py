"""The comparison of two that answered the same inputs: pure, from the journal's rows to one value.

Commands and the console gather rows, contract and features, and hand the value to `text.as_text`, `page.as_page` or
msgspec.
"""

from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Contract
from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate, Floats
from headgate.evidence.mixture import check_alpha
from headgate.rollouts.comparison.agreement import alike, confusion, mean_estimate, tolerance_of
from headgate.rollouts.comparison.differences import differences
from headgate.rollouts.comparison.examples import examples
from headgate.rollouts.comparison.judgement import judged
from headgate.rollouts.comparison.notes import notes_on
from headgate.rollouts.comparison.pairs import Pairs
from headgate.rollouts.comparison.sides import compute_ratio, cost, sides
from headgate.rollouts.comparison.slices import slices
from headgate.rollouts.comparison.values import Comparison
from headgate.vocabulary import Micros, Task

ALPHA: Final = 0.05
SMALLEST: Final = 30
"""Inputs below which a slice is left out."""
EXAMPLES: Final = 10


def compare(
    pairs: Pairs,
    contract: Contract,
    features: pa.Table | None = None,
    *,
    alpha: float = ALPHA,
    tolerance: float | None = None,
    smallest: int = SMALLEST,
    most: int = EXAMPLES,
) -> Comparison:
    """Everything told of the two sides of `pairs`.

    `features` is what ``journal.reader.Reader.features`` gives of the same time; without it there are no slices, and
    examples have no features. `tolerance` is how far apart two predicted numbers may be and still be called the same;
    without it a twentieth of the spread of all of them. `most` examples are given at most. Raises
    headgate.errors.BadInput for an `alpha` that is no error rate and a negative `tolerance`.

    >>> from headgate.contracts.contract import Output
    >>> from headgate.rollouts.comparison.pairs import NEEDED, pairs_of
    >>> rows = [[name, 0, "r", version, role, said, None, 300, 900, "", True, None]
    ...         for name, ours in (("a", True), ("b", False))
    ...         for version, role, said in (("m:1", "live", True), ("m:2", "shadow", ours))]
    >>> table = pa.table(dict(zip(NEEDED, map(list, zip(*rows)))))
    >>> table = table.set_column(1, "at", table["at"].cast(pa.timestamp("us", tz="UTC")))
    >>> contract = Contract((), Output(Task.BINARY, classes=(False, True)))
    >>> found = compare(pairs_of(table, contract), contract)
    >>> found.agreement.value, found.confusion.disagreements[0].candidate, found.judged.only_live
    (0.5, 'false', 1)
    """
    check_alpha(alpha)
    both = pairs.take(pairs.both)
    tolerance = _tolerance(both, tolerance)
    same = alike(both, tolerance).astype(np.float64)
    costs = cost(both.live), cost(both.candidate)
    found = msgspec.structs.replace(
        _counted(pairs, alpha),
        agreement=_agreement(same, both, alpha),
        tolerance=tolerance,
        confusion=confusion(both),
        differences=differences(both),
        judged=judged(both, alpha),
        slices=slices(both, contract, features, same, alpha=alpha, smallest=smallest),
        examples=examples(both, contract, features, most),
        live_cost=costs[0],
        candidate_cost=costs[1],
        compute_ratio=compute_ratio(*costs),
    )
    return msgspec.structs.replace(found, notes=notes_on(found))


def _counted(pairs: Pairs, alpha: float) -> Comparison:
    """Who was asked and who answered, and no figure yet."""
    live, candidate = pairs.live.answered, pairs.candidate.answered
    ours, theirs = sides(pairs)
    return Comparison(
        task=str(pairs.output.task),
        live=ours,
        candidate=theirs,
        alpha=alpha,
        first=Micros(int(pairs.at[0])) if len(pairs) else None,
        last=Micros(int(pairs.at[-1])) if len(pairs) else None,
        inputs=len(pairs),
        both=int((live & candidate).sum()),
        only_live=int((live & ~candidate).sum()),
        only_candidate=int((candidate & ~live).sum()),
        neither=int((~live & ~candidate).sum()),
        labelled=int(pairs.labelled[live & candidate].sum()),
    )


def _tolerance(both: Pairs, asked: float | None) -> float | None:
    if asked is not None and not asked >= 0:
        raise BadInput("tolerance", "range", "must be a number that is not negative")
    if both.output.task is not Task.REGRESSION:
        return None
    return tolerance_of(both) if asked is None else asked


def _agreement(same: Floats, both: Pairs, alpha: float) -> Estimate:
    tensors = both.output.task is Task.TENSOR and len(both)
    without = "only the caller knows when two arrays mean the same" if tensors else "no input was answered by both"
    return mean_estimate("agreement", same, low=0.0, high=1.0, alpha=alpha, without=without)
