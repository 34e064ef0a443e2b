"""The sections on how two differ: what both said, how far apart, in which slices, on which inputs.

`sections` is the only caller.
"""

from collections.abc import Iterator

from headgate.pages.parts import Bars, Part, Reading, Readings, Table
from headgate.rollouts.comparison.values import Comparison, Example, Side, Slice, Value
from headgate.rollouts.comparison.words import (
    confidence,
    cut,
    figure,
    loss_means,
    moment,
    percent,
    points,
    share,
    signed,
    value_of,
)

NAME = 16
"""Characters of a class in the head of a table."""
LONG = 30
"""Characters of a class or a slice in a row."""


def confused(found: Comparison) -> Iterator[Part]:
    """What both said, class by class, and in which ways they differ."""
    confusion = found.confusion
    if confusion is None:
        return
    names = tuple(cut(each, NAME) for each in confusion.classes)
    cells = tuple((name, *(f"{each:,}" for each in row)) for name, row in zip(names, confusion.inputs, strict=True))
    shades = tuple(tuple(each / max(1, sum(row)) for each in row) for row in confusion.inputs)
    caption = f"A row per class of {found.live.name}, a column per class of {found.candidate.name}"
    yield Table(caption, ("", *names), cells, shades=shades)
    if not confusion.disagreements:
        yield "They never differ."
        return
    rows = tuple(
        (cut(each.live, LONG), cut(each.candidate, LONG), f"{each.inputs:,}", share(each.inputs, found.both))
        for each in confusion.disagreements
    )
    head = (found.live.name, found.candidate.name, "inputs", "share")
    yield Table("Where they differ, the most frequent first", head, rows, left=2)
    if confusion.rarer:
        yield f"{confusion.rarer:,} more inputs differ in rarer ways."


def distributed(found: Comparison) -> Iterator[Part]:
    """How far the numbers lie apart."""
    apart = found.differences
    if apart is None:
        return
    of = cut(apart.of, LONG)
    what = f"{of[0].upper()}{of[1:]}, {found.candidate.name} less {found.live.name}"
    head = ("mean", *(f"{percents:g} %" for percents, _ in apart.quantiles))
    cells = (signed(apart.mean), *(signed(each) for _, each in apart.quantiles))
    yield Table(f"{what}: the mean, and what so many of the inputs do not exceed", head, (cells,), left=0)
    filled = [place for place, count in enumerate(apart.bins) if count]
    items = tuple((_bin(place, apart.width, len(apart.bins)), apart.bins[place]) for place in _span(filled))
    quantiles = dict(apart.quantiles)
    says = (
        f"Half of the differences lie between {signed(quantiles[25.0])} and {signed(quantiles[75.0])}, nine of ten "
        f"between {signed(quantiles[5.0])} and {signed(quantiles[95.0])}."
    )
    yield Bars(f"Inputs by difference, {apart.inputs:,} in all", says, items)


def _span(filled: list[int]) -> range:
    return range(filled[0], filled[-1] + 1)


def _bin(place: int, width: float, bins: int) -> str:
    steps = place - bins // 2
    centre = f"{steps * width:+.6g}" if steps else "0"
    if width and place in (0, bins - 1):
        return f"{centre} or {'less' if place == 0 else 'more'}"
    return centre


def sliced(found: Comparison) -> Iterator[Part]:
    """The slices in which they agree least."""
    told = found.slices
    if not told.worst:
        return
    labelled = any(each.loss is not None for each in told.worst)
    shifted = any(each.shift is not None for each in told.worst)
    head = ("", "slice", "inputs", "agreement", *(["shift"] if shifted else []), *(["loss"] if labelled else []))
    rows = tuple(_slice(each, labelled=labelled, shifted=shifted) for each in told.worst)
    ranges = tuple(_range(each) for each in told.worst)
    yield Table(f"Slices of {told.smallest} inputs and more, the worst first", head, rows, left=2, ranges=ranges)
    if told.left_out:
        yield f"{told.left_out:,} slices have fewer inputs and are left out."
    yield f"All {told.intervals:,} intervals hold at once with {confidence(found)}."
    if any(each.stands_out for each in told.worst):
        yield "* They agree less here than over all inputs, beyond what chance explains."
    if any(each.loses for each in told.worst):
        yield f"! {found.candidate.name} is worse here, beyond what chance explains."
    if shifted and found.differences is not None:
        yield f"Shift: mean difference, {cut(found.differences.of, LONG)}."
    if labelled:
        yield f"Loss: {loss_means(found)}."


def _slice(each: Slice, *, labelled: bool, shifted: bool) -> tuple[str, ...]:
    marks = ("*" if each.stands_out else "") + ("!" if each.loses else "")
    cells = [marks, cut(f"{each.field} = {each.value}", LONG), f"{each.inputs:,}", figure(each.agreement, percent)]
    if shifted:
        cells.append("-" if each.shift is None else signed(each.shift))
    return (*cells, figure(each.loss, points)) if labelled else tuple(cells)


def _range(each: Slice) -> tuple[float, float, float]:
    """The interval of agreement; a slice has one, or it would be left out."""
    found = each.agreement
    return (found.low or 0.0, found.value or 0.0, 1.0 if found.high is None else found.high)


def examples(found: Comparison) -> Iterator[Part]:
    """A few inputs with what both said of them."""
    if found.examples:
        scored = found.differences is not None
        yield "Those that are farthest apart come first." if scored else "The first on which they differ."
        kept = any(each.features for each in found.examples)
        if not kept:
            yield "Features of these inputs were not kept."
        yield Readings(
            tuple(_reading(found, each, "its features were not kept" if kept else "") for each in found.examples)
        )


def _reading(found: Comparison, each: Example, without: str) -> Reading:
    live = _said(found.live, each.live, each.live_score)
    candidate = _said(found.candidate, each.candidate, each.candidate_score)
    label = "" if each.label is None else f"; label {value_of(each.label)}"
    return Reading(
        title=f"{live}; {candidate}{label}",
        details=(
            ("at", f"{moment(each.at)} UTC"),
            ("input", cut(each.input_id, 40)),
            *((cut(name, LONG), value_of(value, 40)) for name, value in each.features.items()),
        ),
        without="" if each.features else without,
    )


def _said(side: Side, said: Value, score: float | None) -> str:
    scored = "" if score is None else f" ({score:.3f})"
    return f"{side.name}: {value_of(said)}{scored}"
