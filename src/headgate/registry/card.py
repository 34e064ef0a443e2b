"""The card of a version: what it is, what it reads, how it was checked, for a person to read. Called by `register`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from headgate.contracts.contract import Contract, Field
from headgate.registry.parity import ParityReport
from headgate.vocabulary import Micros

NONE: Final = "not stated"


def card(
    name: str,
    *,
    at: Micros,
    library: str,
    contract: Contract,
    report: ParityReport,
    environment: Mapping[str, str],
    lineage: Mapping[str, str | None],
) -> str:
    """The card as Markdown; it ends where the evaluation record continues."""
    moment = datetime.fromtimestamp(at / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")
    output = contract.output
    lines = [
        f"# {name}",
        "",
        f"Registered {moment}. A {library} model, served as {report.chosen}.",
        "",
        "## Where it comes from",
        "",
        *(f"- {what}: {said or NONE}" for what, said in lineage.items()),
        "",
        "## What it answers",
        "",
        f"- task: {output.task}",
        *([f"- classes: {', '.join(str(each) for each in output.classes)}"] if output.classes else []),
        f"- label column: {output.label}",
        "",
        "## What it reads",
        "",
        "| field | kind | unit | missing | values |",
        "|---|---|---|---|---|",
        *(_row(each) for each in contract.fields),
        "",
        "## Is it the same model?",
        "",
        f"{report.reason}.",
        "",
        "## What it was made with",
        "",
        *(f"- {what} {version}" for what, version in sorted(environment.items())),
        "",
    ]
    return "\n".join(lines)


def _row(field: Field) -> str:
    missing = f"{field.expected_missing:.1%}" if field.nullable else "never"
    if field.domain is not None:
        values = f"{len(field.domain)} categories"
    elif field.minimum is not None or field.maximum is not None:
        values = f"{_bound(field.minimum)} to {_bound(field.maximum)}"
    else:
        values = "any"
    return f"| {field.name.replace('|', '/')} | {field.kind} | {field.unit or ''} | {missing} | {values} |"


def _bound(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"
