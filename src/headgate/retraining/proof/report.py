"""A proof told to people: as text for a terminal, as Markdown that a pull request can carry, as a page of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.gates import Outcome
from headgate.evaluation.table import digits, shown, table
from headgate.pages.page import laid_out
from headgate.pages.parts import Card, Cards, Drawn, Figure, Figures, Section, Table
from headgate.retraining.proof.values import Check, Proof
from headgate.vocabulary import Micros

MARKS: Final = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.UNDECIDED: "❔"}
SLICES: Final = 12
"""Slices that are shown, worst first."""


def headline(proof: Proof) -> str:
    """What came of it, in a sentence.

    >>> from headgate.evaluation.report import Report
    >>> from headgate.retraining.proof.terms import Terms
    >>> from headgate.vocabulary import Task
    >>> measured = Report(rows=0, estimates={}, task=Task.BINARY, confidence=0.95)
    >>> headline(Proof(challenger="m:2", champion="m:1", anchor=None, metric="brier", rows=9, window=None, checks=(),
    ...     outcome=Outcome.UNDECIDED, superior=False, not_worse_than_champion=False, not_worse_than_anchor=True,
    ...     moves_anchor=False, may_promote=False, why="", error_rate="", terms=Terms(), measured=measured))
    'm:2 is undecided against m:1; m:1 stays'
    """
    against = f" against {proof.champion}" if proof.champion else ""
    stays = proof.champion or "nothing"
    if proof.may_promote:
        return f"{proof.challenger} passed{against} and may take its place without anybody being asked"
    if proof.passed:
        return f"{proof.challenger} passed{against}; whether it takes its place is for a person to say"
    return (
        f"{proof.challenger} {'failed' if proof.outcome is Outcome.FAILED else 'is undecided'}{against}; {stays} stays"
    )


def as_text(proof: Proof) -> str:
    """For a terminal."""
    lines = [headline(proof), "", *(f"{name}: {value}" for name, value in _facts(proof)), ""]
    for each in proof.checks:
        lines += [f"{_word(each)}: {each.name}", f"  {each.sentence}"]
    return "\n".join([*lines, "", f"why: {proof.why}", f"how often this is wrong: {proof.error_rate}"])


def as_markdown(proof: Proof) -> str:
    """For a pull request, a wiki, a file; what comes from data cannot break its tables."""
    lines = [
        f"## {MARKS[proof.outcome]} {_plain(headline(proof))}",
        "",
        *(f"- **{name}**: {_plain(value)}" for name, value in _facts(proof)),
        "",
        f"**Why.** {_plain(proof.why)}.",
        "",
        "### Checks",
        "",
        "| | check | what was found | worse by | interval | limit |",
        "|---|---|---|---:|---:|---:|",
        *(
            f"| {_mark(each)} | {_plain(each.name)} | {_plain(each.sentence)} | {_figures(each)} |"
            for each in proof.checks
        ),
        "",
        "### Figures on the same rows",
        "",
        "| metric | challenger | champion | difference |",
        "|---|---:|---:|---:|",
        *("| " + " | ".join(row) + " |" for row in _measured(proof)),
    ]
    if slices := list(_slices(proof)):
        lines += [
            "",
            "### Slices, worst first",
            "",
            "| slice | rows | challenger | difference |",
            "|---|---:|---:|---:|",
        ]
        lines += ["| " + " | ".join(map(_plain, row)) + " |" for row in slices]
    lines += ["", f"_How often this is wrong: {_plain(proof.error_rate)}._"]
    return "\n".join(lines) + "\n"


def as_page(proof: Proof) -> str:
    """As one HTML page that needs nothing beside itself."""
    sections: list[Section[Drawn]] = [
        Section("In short", (Figures(tuple(Figure(name, value) for name, value in _facts(proof))), f"{proof.why}.")),
        Section("Checks", (Cards(tuple(map(_card, proof.checks))),)),
        Section("Figures", (_table(proof),)),
    ]
    if slices := tuple(_slices(proof)):
        head = ("slice", "rows", "challenger", "difference")
        sections.append(Section("Slices", (Table("Worst first", head, slices),)))
    sections.append(Section("How often this is wrong", (f"{proof.error_rate}.",)))
    return laid_out(f"Proof of {proof.challenger}", headline(proof), sections)


def figures_text(proof: Proof) -> str:
    """All figures as a plain table."""
    return table(["metric", "challenger", "champion", "difference"], list(_measured(proof)))


def _facts(proof: Proof) -> Iterator[tuple[str, str]]:
    yield "champion", proof.champion or "none"
    yield "anchor", proof.anchor or "none"
    yield "rows", f"{proof.rows:,}"
    if proof.window is not None:
        yield "from", _moment(proof.window[0])
        yield "to", _moment(proof.window[1])
    yield "metric", proof.metric


def _moment(at: Micros) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _word(check: Check) -> str:
    return str(check.outcome) if check.decides else f"{check.outcome}, aside"


def _mark(check: Check) -> str:
    return MARKS[check.outcome] if check.decides else "·"


def _figures(check: Check) -> str:
    interval = (
        "" if check.low is None or check.high is None else f"{digits(check.low, '+')} to {digits(check.high, '+')}"
    )
    value = "" if check.value is None else digits(check.value, "+" if check.low is not None else "")
    return " | ".join((value, interval, "" if check.limit is None else digits(check.limit)))


def _measured(proof: Proof) -> Iterator[tuple[str, ...]]:
    found = proof.measured
    for name, each in found.estimates.items():
        gap = found.over_champion.get(name)
        yield name, shown(each), _value(found.champion.get(name)), shown(gap, "+")


def _value(found: Estimate | None) -> str:
    return "-" if found is None or found.value is None else digits(found.value)


def _slices(proof: Proof) -> Iterator[tuple[str, ...]]:
    name = proof.metric
    for each in [part for part in proof.measured.slices if part.measured][:SLICES]:
        value, gap = each.estimates.get(name), each.over_champion.get(name)
        yield f"{each.field} = {each.value}", f"{each.rows:,}", shown(value), shown(gap, "+")


def _table(proof: Proof) -> Table:
    return Table("On the same rows", ("metric", "challenger", "champion", "difference"), tuple(_measured(proof)))


def _card(check: Check) -> Card:
    loud = check.decides and check.outcome is not Outcome.PASSED
    figures: tuple[tuple[str, str, str], ...] = ()
    if check.value is not None:
        limit = "" if check.limit is None else f"limit {digits(check.limit)}"
        figures = (("worse by" if check.low is not None else "measured", digits(check.value), limit),)
    return Card(check.name, _word(check), f"{check.sentence}.", loud=loud, figures=figures)


def _plain(text: str) -> str:
    """A text that cannot be taken for Markdown or HTML of its own."""
    safe = text.replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "\\`")
    return safe.replace("\n", " ").replace("[", "\\[").replace("@", "&#64;").replace("*", "\\*")
