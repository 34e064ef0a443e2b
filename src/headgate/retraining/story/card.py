"""A version's model card, from the records alone.

What it is, what it reads, how good it is, where it came from, and what nobody knows of it; after Mitchell et al. 2019,
"Model Cards for Model Reporting" (https://arxiv.org/abs/1810.03993).
"""

from collections.abc import Iterator
from typing import Final

from headgate.contracts.contract import Contract, Field
from headgate.evaluation.report import Report
from headgate.evaluation.table import shown
from headgate.pages.page import laid_out
from headgate.pages.parts import Drawn, Note, Section, Table
from headgate.retraining.story.facts import Carded, Facts
from headgate.retraining.story.page import sections as chapters
from headgate.retraining.story.story import moment
from headgate.retraining.story.tell import tell
from headgate.retraining.story.text import escaped

WORST: Final = 10
"""Slices that are shown, the worst first."""


def card_markdown(carded: Carded) -> str:
    """The card as Markdown."""
    lines = [f"# {escaped(carded.made.version)}", "", escaped(_subtitle(carded)), ""]
    for each in _sections(carded):
        lines += [f"## {escaped(each.title)}", ""]
        for part in each.parts:
            lines += [*_lines(part), ""]
    return "\n".join(lines)


def card_page(carded: Carded) -> str:
    """The card as one HTML page that needs nothing beside itself."""
    return laid_out(carded.made.version, _subtitle(carded), list(_sections(carded)))


def _subtitle(carded: Carded) -> str:
    made, output = carded.made, carded.contract.output
    return f"A {output.task.value} model, registered {moment(made.at)}, served as {made.engine}; digest {made.digest}."


def _sections(carded: Carded) -> Iterator[Section[Drawn]]:
    made = carded.made
    facts = carded.facts or Facts(made.version, "", "", "", made.version, made.at, made=made)
    story = tell(facts)
    yield Section("What it answers", tuple(_answers(carded.contract)))
    yield Section("What it reads", (_fields(carded.contract),))
    last = made.measured[-1] if made.measured else None
    if last is None:
        yield Section("How good it is", (Note("missing: it was never measured."),))
    else:
        on = f"on {last.report.rows:,} labelled rows, intervals of {last.report.confidence:.0%}"
        head = f"Measured {moment(last.at)} {on}."
        yield Section("How good it is", (head, *_figures(last.report)))
    yield from chapters(story)
    yield Section("Is it the same model?", (f"{carded.parity.rstrip('.')}.",))
    made_with = ", ".join(f"{name} {version}" for name, version in carded.environment)
    yield Section("What it was made with", (made_with or Note("missing: its package does not say."),))
    yield Section("What nobody knows of it", tuple(story.gaps) or ("Nothing: every link has its record.",))


def _answers(contract: Contract) -> Iterator[Drawn]:
    output = contract.output
    yield f"The task is {output.task.value}; the truth comes as '{output.label}'."
    if output.classes:
        yield f"Classes: {', '.join(map(str, output.classes))}."
    yield "It gives probabilities." if output.probability else "It gives no probabilities."


def _fields(contract: Contract) -> Table:
    head = ("field", "kind", "unit", "missing", "values")
    return Table("Fields, as the contract has them", head, tuple(map(_row, contract.fields)), left=5, most=500)


def _row(field: Field) -> tuple[str, ...]:
    missing = f"{field.expected_missing:.1%}" if field.nullable else "never"
    if field.domain is not None:
        values = f"{len(field.domain)} categories"
    elif field.minimum is not None or field.maximum is not None:
        values = f"{_bound(field.minimum)} to {_bound(field.maximum)}"
    else:
        values = "any"
    return field.name, field.kind.value, field.unit or "", missing, values


def _bound(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def _figures(report: Report) -> Iterator[Drawn]:
    rows = tuple(
        (name, shown(each), shown(report.champion.get(name)), shown(report.baseline.get(name)))
        for name, each in report.estimates.items()
    )
    yield Table("Figures", ("metric", "this version", "the champion then", "a dummy"), rows)
    worst = [each for each in report.slices if each.measured][:WORST]
    if worst:
        name = next(iter(report.estimates))
        parts = tuple(
            (f"{each.field} = {each.value}", f"{each.rows:,}", shown(each.estimates.get(name))) for each in worst
        )
        yield Table("Slices, the worst first", ("slice", "rows", name), parts)
    else:
        yield Note("missing: no slice of the rows was looked at by itself (--slices).")


def _lines(part: Drawn) -> Iterator[str]:
    match part:
        case str():
            yield escaped(part)
        case Note(says):
            yield f"**Note:** {escaped(says)}"
        case Table():
            yield f"| {' | '.join(map(escaped, part.head))} |"
            yield f"|{'---|' * len(part.head)}"
            yield from (f"| {' | '.join(map(escaped, row))} |" for row in part.rows)
