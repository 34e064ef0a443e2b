"""The proof itself: answers and terms in, checks and what follows from them out.

A pure function; `ask` collects the answers, `report` tells the outcome, `anchor` acts on it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Undefined
from headgate.evaluation.gates import Outcome, parse_gate
from headgate.evaluation.metrics import Metric, improbable, metric
from headgate.evaluation.report import Report, evaluate
from headgate.evaluation.rows import Column, Rows, labelled
from headgate.evaluation.table import digits
from headgate.retraining.proof.compared import Compared, Side
from headgate.retraining.proof.losses import lost
from headgate.retraining.proof.rails import Contest, calibration, contract, latency, size, slices, treatment
from headgate.retraining.proof.rivals import beside, better, not_worse, told
from headgate.retraining.proof.robust import robust
from headgate.retraining.proof.terms import Terms
from headgate.retraining.proof.values import Check, Proof
from headgate.vocabulary import Micros, Task

CAP_QUANTILE: Final = 0.99
"""Of the champion's errors: beyond it a row of a regression counts no further in the probation."""


def prove(answers: Compared, terms: Terms = Terms()) -> Proof:  # noqa: B008 - a frozen value
    """Everything the answers say about whether the challenger may take the champion's place.

    It may without anybody being asked if no check that decides failed or is undecided, and it is proved to be better
    than the champion, or to be worse than neither champion nor anchor by more than the margin. A check that fails is a
    result, not an error.

    Raises BadInput where the challenger learned from one of the rows, where columns do not fit each other, and for
    terms out of their range.

    >>> from headgate.evaluation.report import Answers
    >>> random = np.random.default_rng(1)
    >>> chance = random.random(4000)
    >>> sides = [Side(name, Answers(each > 0.5, each)) for name, each in (("m:2", chance), ("m:1", chance / 2))]
    >>> proof = prove(Compared(Task.BINARY, (False, True), random.random(4000) < chance, *sides))
    >>> proof.may_promote, proof.superior, proof.outcome.value
    (True, True, 'passed')
    """
    terms.check(answers.task)
    _refuse_learned(answers.ids, answers.learned)
    rows, places = _ordered(answers)
    # By what the champion gives: a challenger without probabilities, or with broken ones, must not choose the exam.
    name = terms.usual(answers.task, probabilities=_probable(rows.get("champion", rows["challenger"])))
    found = _Found(answers, terms, metric(name), rows, places, _measured(answers, terms, name))
    checks = list(_checks(found))
    return _concluded(found, checks)


def _refuse_learned(ids: Sequence[str | None], learned: Collection[str]) -> None:
    known = learned if isinstance(learned, set | frozenset) else set(learned)
    both = sum(each in known for each in ids if each is not None)
    if both:
        message = f"the challenger learned from {both:,} of these {len(ids):,} rows; prove it on rows it has not seen"
        raise BadInput("rows", "leakage", message)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What every check looks at."""

    answers: Compared
    terms: Terms
    metric: Metric
    rows: dict[str, Rows]
    """By role: labelled rows in the order of time."""
    places: NDArray[np.intp]
    """Which of the rows they are."""
    measured: Report


def _sides(answers: Compared) -> dict[str, Side]:
    sides = {"challenger": answers.challenger, "champion": answers.champion, "anchor": answers.anchor}
    return {role: side for role, side in sides.items() if side is not None}


def _ordered(answers: Compared) -> tuple[dict[str, Rows], NDArray[np.intp]]:
    """Every side's labelled rows in the order of time, and which rows they are."""
    count = len(answers.labels)
    for name, column in {"ids": answers.ids, "at": answers.at, **answers.slices, **answers.groups}.items():
        if column is not None and len(column) not in (count, 0 if name == "ids" else count):
            raise BadInput(name, "shape", f"there are {len(column):,} values for {count:,} rows; give one per row")
    rows, known = {}, np.zeros(count, np.bool_)
    for role, side in _sides(answers).items():
        said = side.recent
        rows[role], known = labelled(answers.task, answers.labels, said.predictions, said.scores, answers.classes)
    places = np.flatnonzero(known)
    if answers.at is None:
        return rows, places
    order = np.argsort(answers.at[places], kind="stable")
    return {role: each.take(order) for role, each in rows.items()}, places[order]


def _probable(rows: Rows) -> bool:
    """Whether a model gives probabilities of every row."""
    return rows.scores is not None and bool(np.isfinite(rows.scores).all()) and not improbable(rows.scores)


def _measured(answers: Compared, terms: Terms, name: str) -> Report:
    """All figures, as an evaluation has them, with the sentences that were asked and a dummy's beside."""
    asked = [parse_gate(each) for each in terms.gates]
    if answers.champion is None:
        asked.append(parse_gate(f"{name} better than dummy with confidence"))
    lacking = {each.slices for each in asked if each.slices} - answers.slices.keys()
    if lacking:
        raise BadInput("gate", "slices", f"there are no slices of {', '.join(sorted(lacking))}; give them as columns")
    return evaluate(
        answers.task,
        answers.labels,
        answers.challenger.recent.predictions,
        answers.challenger.recent.scores,
        answers.classes,
        slices=answers.slices,
        champion=None if answers.champion is None else answers.champion.recent,
        gates=asked,
    )


def _checks(found: _Found) -> Iterator[Check]:
    answers, terms = found.answers, found.terms
    if answers.contracts is not None:
        yield contract(answers.contracts)
    yield _enough(found)
    if len(found.rows["challenger"]):
        yield from _versions(found)
        yield from _rails(found)
        yield from _golden(found)
        for each in found.measured.gates:
            yield Check(name=f"gate {each.gate}", outcome=each.outcome, sentence=each.sentence)
    measured = (latency(answers.challenger, answers.champion, terms), size(answers.challenger, answers.champion, terms))
    yield from (each for each in measured if each is not None)


def _enough(found: _Found) -> Check:
    rows, least = found.rows["challenger"], found.terms.minimum_rows
    if len(rows) < least:
        says = f"{len(rows):,} labelled rows, and {least:,} are needed before anything is decided"
        return Check(name="rows", outcome=Outcome.UNDECIDED, sentence=says, value=float(len(rows)))
    if rows.task is not Task.REGRESSION and int((rows.support > 0).sum()) == 1:
        one = rows.classes[int(rows.support.argmax())]
        says = f"all {len(rows):,} labels are {one}, so nothing can be told of the other classes"
        return Check(name="rows", outcome=Outcome.UNDECIDED, sentence=says, value=float(len(rows)))
    return Check(name="rows", outcome=Outcome.PASSED, sentence=f"{len(rows):,} labelled rows", value=float(len(rows)))


def _versions(found: _Found) -> Iterator[Check]:
    """The challenger beside the champion and the anchor."""
    sides = _sides(found.answers)
    for role in ("champion", "anchor"):
        if role not in sides or (role == "anchor" and not _apart(found.answers)):
            continue
        pair = beside(found.metric, found.rows["challenger"], found.rows[role], share=found.terms.margin_share)
        ahead = better(found.metric, pair, found.terms, role, sides[role].version)
        close = not_worse(found.metric, pair, found.terms, role, sides[role].version)
        # The anchor binds whoever promotes by itself; a person may look past it.
        yield msgspec.structs.replace(close, decides=role == "champion")
        yield ahead


def _rails(found: _Found) -> Iterator[Check]:
    answers, terms = found.answers, found.terms
    taken: dict[str, Any] = {field: _taken(column, found.places) for field, column in answers.slices.items()}
    wanted = {field: column for field, column in taken.items() if field in terms.slices}
    contest = None
    if answers.champion is not None:
        families = len(wanted) + 2
        contest = Contest(
            ours=found.rows["challenger"],
            theirs=found.rows["champion"],
            version=answers.champion.version,
            metric=found.metric,
            terms=terms,
            alpha=terms.alpha_harm / families,
        )
        yield from slices(contest, wanted)
        if _probable(contest.ours):
            yield calibration(contest)
    groups = {field: _taken(column, found.places) for field, column in answers.groups.items()}
    yield from treatment(found.rows["challenger"], groups, terms)
    if answers.disturbed is not None:
        borne = robust(answers, contest, _taken(answers.labels, answers.disturbed))
        if borne is not None:
            yield borne


def _taken(column: Column, places: NDArray[np.intp]) -> NDArray[Any]:
    array = column if isinstance(column, np.ndarray) else np.array(list(column), dtype=object)
    return array[places]


def _golden(found: _Found) -> Iterator[Check]:
    """Set by set: an exam whose rows never change, so the figure itself counts."""
    answers = found.answers
    for name, labels in answers.golden.items():
        said = answers.challenger.golden.get(name)
        if said is None:
            why = "the challenger could not answer it"
            yield Check(name=f"golden {name}", outcome=Outcome.FAILED, sentence=why)
            continue
        ours = labelled(answers.task, labels, said.predictions, said.scores, answers.classes)[0]
        other = None if answers.champion is None else answers.champion.golden.get(name)
        if other is None:
            mine = lost(found.metric, ours)
            says = mine.reason if isinstance(mine, Undefined) else f"{found.metric.name} loses {digits(mine.value)}"
            yield Check(name=f"golden {name}", outcome=Outcome.UNDECIDED, sentence=says, decides=False)
            continue
        theirs = labelled(answers.task, labels, other.predictions, other.scores, answers.classes)[0]
        yield _examined(found, name, ours, theirs)


def _examined(found: _Found, name: str, ours: Rows, theirs: Rows) -> Check:
    pair = beside(found.metric, ours, theirs, share=found.terms.golden_share)
    if isinstance(pair, Undefined):
        return Check(name=f"golden {name}", outcome=Outcome.UNDECIDED, sentence=pair.reason)
    assert found.answers.champion is not None  # noqa: S101 - callers look first
    limit = found.terms.margin + found.terms.golden_share * pair.theirs
    says = f"{told(found.metric, pair, found.answers.champion.version)} on {len(ours):,} rows; it may lose "
    return Check(
        name=f"golden {name}",
        outcome=Outcome.PASSED if pair.plain.value <= limit else Outcome.FAILED,
        sentence=f"{says}{digits(limit)} more",
        value=pair.plain.value,
        limit=limit,
    )


def _concluded(found: _Found, checks: list[Check]) -> Proof:
    answers, terms, sides = found.answers, found.terms, _sides(found.answers)
    named = {each.name: each.outcome for each in checks}
    passed = {name for name, outcome in named.items() if outcome is Outcome.PASSED}
    deciding = [each for each in checks if each.decides]
    outcome = _together([each.outcome for each in deciding])
    superior = "better than champion" in passed
    apart = _apart(answers)
    close = "not worse than champion" in passed
    anchored = "not worse than anchor" in passed if apart else close
    places = found.places
    window = None
    if answers.at is not None and len(places):
        window = Micros(int(answers.at[places[0]])), Micros(int(answers.at[places[-1]]))
    first = "champion" not in sides
    return Proof(
        challenger=answers.challenger.version,
        champion=sides["champion"].version if "champion" in sides else None,
        anchor=sides["anchor"].version if "anchor" in sides else None,
        metric=found.metric.name,
        rows=len(places),
        window=window,
        checks=tuple(checks),
        outcome=outcome,
        superior=superior,
        not_worse_than_champion=close,
        not_worse_than_anchor=anchored,
        moves_anchor="better than anchor" in passed if apart else superior or first,
        may_promote=outcome is Outcome.PASSED and (superior or (close and anchored) or first),
        why=_why(outcome, deciding, superior=superior, first=first, anchored=anchored),
        error_rate=_error_rate(terms),
        terms=terms,
        measured=found.measured,
        cap=_cap(found),
    )


def _apart(answers: Compared) -> bool:
    """Whether there is an anchor that is not the champion."""
    champion, anchor = answers.champion, answers.anchor
    return anchor is not None and (champion is None or champion.version != anchor.version)


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    if Outcome.FAILED in outcomes:
        return Outcome.FAILED
    return Outcome.UNDECIDED if Outcome.UNDECIDED in outcomes else Outcome.PASSED


def _why(outcome: Outcome, deciding: Sequence[Check], *, superior: bool, first: bool, anchored: bool) -> str:
    if outcome is not Outcome.PASSED:
        against = [each for each in deciding if each.outcome is outcome]
        return "; ".join(f"{each.name} {each.outcome}: {each.sentence}" for each in against)
    if first:
        return "there is no champion, and it is better than an answer that looks at nothing"
    if superior:
        return "proved to be better than the champion, and every other check passed"
    if not anchored:
        return (
            "proved not to be worse than the champion, but not in the same way beside the anchor: a person has to say"
        )
    return "proved not to be worse than champion and anchor by more than the margin, and every other check passed"


def _error_rate(terms: Terms) -> str:
    return (
        f"of 100 challengers that lose more than the margin, at most {100 * terms.alpha:g} pass for no worse; "
        f"of 100 that are no better, at most {100 * terms.alpha_better:g} pass for better; "
        f"of 100 that do no harm, at most {100 * terms.alpha_harm:g} fail a rail "
        "(intervals over rows and over 20 batches of consecutive rows, the wider of both)"
    )


def _cap(found: _Found) -> float | None:
    """Where a regression's errors are cut off in the probation."""
    rows = found.rows.get("champion", found.rows["challenger"])
    if rows.task is not Task.REGRESSION or rows.predicted is None or not len(rows):
        return None
    errors = np.abs(rows.predicted - rows.truth)
    cap = float(np.quantile(errors[np.isfinite(errors)], CAP_QUANTILE)) if np.isfinite(errors).any() else 0.0
    return cap if cap > 0 else None
