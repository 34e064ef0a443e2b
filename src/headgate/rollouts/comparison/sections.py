"""What is told of a comparison, in which order and in which words; `text` and `page` lay it out."""

from collections.abc import Iterator

from headgate.evaluation.table import digits
from headgate.pages.parts import Figure, Figures, Note, Part, Section, Table
from headgate.rollouts.comparison.sections_apart import confused, distributed, examples, sliced
from headgate.rollouts.comparison.values import Alone, Comparison, Cost, Nearer, Right, Side
from headgate.rollouts.comparison.words import (
    NOTHING,
    agreement_means,
    confidence,
    cut,
    figure,
    leaning,
    moment,
    percent,
    points,
    share,
    signed,
)


def title(found: Comparison) -> str:
    """Who is compared with whom.

    >>> live = Side(name="m:1", role="live", versions=("m:1",), asked=0, answered=0)
    >>> shadow = Side(name="m:2", role="shadow", versions=("m:2",), asked=0, answered=0)
    >>> title(Comparison(task="binary", live=live, candidate=shadow, alpha=0.05, inputs=0))
    'm:2 (shadow) beside m:1 (live)'
    """
    return f"{_titled(found.candidate)} beside {_titled(found.live)}"


def _titled(side: Side) -> str:
    return f"{side.name} ({side.role})" if side.name in side.versions else side.name


def subtitle(found: Comparison) -> str:
    """When, and what for."""
    if found.first is None or found.last is None:
        return f"{found.task}; neither was asked anything in this time"
    return f"{found.task}, inputs from {moment(found.first)} to {moment(found.last)} UTC"


def sections(found: Comparison) -> tuple[Section[Part], ...]:
    """All of it; of inputs that both answered nothing where there are none."""
    told: list[Section[Part]] = [
        Section("In short", tuple(_short(found))),
        Section("Who was asked", tuple(_asked(found))),
    ]
    if not found.both:
        return tuple(told)
    judged = "Who was nearer" if isinstance(found.judged, Nearer) else "Who was right"
    more: list[tuple[str, Iterator[Part]]] = [
        ("What both said", confused(found)),
        ("How far apart they are", distributed(found)),
        (judged, _judged(found)),
        ("The people", _people(found)),
        ("Where they agree least", sliced(found)),
        ("Inputs to read", examples(found)),
        ("Time and compute", _costs(found)),
    ]
    told += [Section(name, parts) for name, each in more if (parts := tuple(each))]
    return tuple(told)


def _short(found: Comparison) -> Iterator[Part]:
    items = [Figure("both answered", f"{found.both:,}", f"of {found.inputs:,} inputs")]
    if found.both:
        agreement = found.agreement
        known = agreement.low is not None and agreement.high is not None
        remark = f"{percent(agreement.low or 0.0)} to {percent(agreement.high or 0.0)}" if known else agreement.reason
        items.append(Figure("agreement", NOTHING if agreement.value is None else percent(agreement.value), remark))
    if found.candidate.failed:
        failed = share(found.candidate.failed, found.candidate.asked)
        items.append(
            Figure(f"{found.candidate.name} failed", f"{found.candidate.failed:,}", f"{failed} of those asked")
        )
    if isinstance(found.judged, Right):
        difference = found.judged.difference
        value = NOTHING if difference.value is None else f"{points(difference.value)} points"
        items.append(Figure("difference of errors", value, leaning(difference, found)))
    if isinstance(found.judged, Nearer):
        difference = found.judged.difference
        value = NOTHING if difference.value is None else signed(difference.value)
        items.append(Figure("difference of errors", value, leaning(found.judged.balance, found)))
    if found.compute_ratio is not None:
        items.append(Figure("compute", f"{found.compute_ratio:.3g} times", f"that of {found.live.name}"))
    yield Figures(tuple(items))
    if found.agreement.known:
        yield (
            f"They agree where {agreement_means(found)}. "
            f"Intervals hold with {confidence(found)}, however often one looks while inputs are added."
        )
    yield from (Note(f"{each}.") for each in found.notes)


def _asked(found: Comparison) -> Iterator[Part]:
    rows = [
        (
            side.name,
            f"{side.asked:,}",
            f"{side.answered:,}",
            f"{side.failed:,}",
            share(side.failed, side.asked),
        )
        for side in (found.live, found.candidate)
    ]
    yield Table("Inputs each was asked about", ("", "asked", "answered", "failed", "share failed"), tuple(rows))
    yield (
        f"Of {found.inputs:,} inputs both answered {found.both:,}, only {found.live.name} {found.only_live:,}, only "
        f"{found.candidate.name} {found.only_candidate:,}, neither {found.neither:,}. "
        f"Of those both answered, {found.labelled:,} have a label."
    )
    why = tuple(
        (side.name, cut(each.reason, 40), f"{each.inputs:,}")
        for side in (found.live, found.candidate)
        for each in side.failures
    )
    if why:
        yield Table("Why there was no answer", ("", "reason", "inputs"), why, left=2)


def _people(found: Comparison) -> Iterator[Part]:
    if found.reviewed is None:
        return
    people = found.reviewed
    rows = tuple(
        (cut(each.name, 40), f"{each.decided:,}", _percent(each.agreement), _percent(each.error))
        for each in people.reviewers
    )
    head = ("", "decided", "agree with the model", "wrong")
    yield Table("Who decided", head, rows)
    if people.people > len(rows):
        yield f"{people.people - len(rows):,} more people decided fewer inputs each."
    if people.kappa is not None:
        yield f"People and {found.candidate.name} agree beyond chance by {people.kappa:.2f} (Cohen's kappa)."
    if people.people_kappa is not None:
        yield (
            f"Of {people.twice:,} inputs that two people decided they agreed on {_percent(people.agreement)}, beyond "
            f"chance by {people.people_kappa:.2f}: no model can be held to more."
        )
    if people.alone is not None:
        yield _by_itself(found.candidate.name, people.alone)


def _by_itself(name: str, alone: Alone) -> str:
    told = [f"{name} decided {alone.decided:,} inputs by itself."]
    if alone.error is not None:
        told.append(f"Of {alone.labelled:,} whose truth is known it was wrong on {percent(alone.error)}.")
    if alone.agreement is not None:
        told.append(f"Of {alone.audited:,} that a person decided too it said the same on {percent(alone.agreement)}.")
    return " ".join(told)


def _percent(value: float | None) -> str:
    return NOTHING if value is None else percent(value)


def _judged(found: Comparison) -> Iterator[Part]:
    match found.judged:
        case Right() as right:
            yield from _right(found, right)
        case Nearer() as nearer:
            yield from _nearer(found, nearer)
        case None:
            return


def _right(found: Comparison, right: Right) -> Iterator[Part]:
    live, candidate = found.live.name, found.candidate.name
    counts = {
        "both": right.both,
        f"only {live}": right.only_live,
        f"only {candidate}": right.only_candidate,
        "neither": right.neither,
    }
    yield _counts(counts, right.labelled)
    yield (
        f"{live} errs on {percent(right.live_error)}, {candidate} on {percent(right.candidate_error)}: a difference of "
        f"{figure(right.difference, points)} percentage points. So far: {leaning(right.difference, found)}."
    )


def _nearer(found: Comparison, nearer: Nearer) -> Iterator[Part]:
    live, candidate = found.live.name, found.candidate.name
    counts = {live: nearer.live, candidate: nearer.candidate, "both alike": nearer.alike}
    yield _counts(counts, nearer.labelled)
    yield (
        f"Mean absolute error: {live} {digits(nearer.live_error)}, {candidate} {digits(nearer.candidate_error)}: a "
        f"difference of {figure(nearer.difference, signed)}. Errors have no bound, so this interval is for many inputs."
    )
    yield (
        f"The inputs on which {candidate} is farther off, less those on which it is nearer, are "
        f"{figure(nearer.balance, points)} percentage points. So far: {leaning(nearer.balance, found)}."
    )


def _counts(counts: dict[str, int], total: int) -> Table:
    rows = tuple((name, f"{count:,}", share(count, total)) for name, count in counts.items())
    return Table(f"{total:,} inputs with a label", ("", "inputs", "share"), rows)


def _costs(found: Comparison) -> Iterator[Part]:
    sides = ((found.live, found.live_cost), (found.candidate, found.candidate_cost))
    head = ("", "compute p50", "p95", "p99", "latency p50", "p95", "p99", "s per 1,000")
    rows = tuple((side.name, *_times(cost)) for side, cost in sides)
    if any(cell != NOTHING for row in rows for cell in row[1:]):
        yield Table("Milliseconds for the inputs both answered; seconds of compute for 1,000 of them", head, rows)
    if found.compute_ratio is not None:
        yield (
            f"{found.candidate.name} takes {found.compute_ratio:.3g} times the compute of {found.live.name}. "
            "Where one call joined several requests, each counts all of it."
        )


def _times(cost: Cost) -> list[str]:
    cells = []
    for each in (cost.compute_ms, cost.latency_ms):
        cells += [NOTHING] * 3 if each is None else [f"{value:.2f}" for value in (each.p50, each.p95, each.p99)]
    return [*cells, NOTHING if cost.compute_s_per_1000 is None else digits(cost.compute_s_per_1000)]
