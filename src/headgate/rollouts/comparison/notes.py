"""What a reader of a comparison's figures must know before believing them. `compare` is the only caller."""

from collections.abc import Iterator
from typing import Final

from headgate.rollouts.comparison.values import Comparison, Side

THIN: Final = 0.5
"""Share of labelled inputs below which a note says that the truth is known of a part."""


def notes_on(comparison: Comparison) -> tuple[str, ...]:
    """Silences, mixtures and thin labels, in sentences."""
    return tuple(_notes(comparison))


def _notes(found: Comparison) -> Iterator[str]:
    for side in (found.live, found.candidate):
        yield from _on_side(side)
    if found.inputs and found.candidate.asked < found.inputs:
        yield (
            f"{found.candidate.name} was asked about {_of(found.candidate.asked, found.inputs)} inputs; "
            "the others were not in its share, or were dropped in favour of callers"
        )
    if 0 < found.labelled < THIN * found.both:
        yield (
            f"labels are known of {_of(found.labelled, found.both)} inputs; what is told of errors rests on these, "
            "and on labels not coming sooner for one answer than for another"
        )
    if found.both and not found.slices.worst:
        yield (
            f"no slice has {found.slices.smallest} inputs whose features were kept, so none is told"
            if found.slices.left_out
            else "no features were kept or given to slice by"
        )


def _on_side(side: Side) -> Iterator[str]:
    if not side.asked:
        yield f"{side.name} was asked nothing"
    elif not side.answered:
        yield f"{side.name} answered none of the {side.asked:,} inputs it was asked about"
    if len(side.versions) > 1:
        yield f"{side.role} was more than one version: {', '.join(side.versions)}; name one to compare it alone"


def _of(count: int, total: int) -> str:
    return f"{count:,} of {total:,}"
