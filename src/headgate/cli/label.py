"""``headgate label``: tell a running endpoint what turned out to be true."""

import json
import re
from pathlib import Path
from typing import Any, Final

import click

from headgate.app.up import running_client
from headgate.cli.options import home_option, json_option, project_option, read_text, url_option
from headgate.client import Client
from headgate.errors import BadInput, BodyRefused

_BATCH: Final = 10_000
"""Labels of one request; gateways take no more than some thousands."""
_ENTRY: Final = re.compile(r"labels\[(\d+)\]\.?")

Numbered = tuple[int, dict[str, Any]]
"""A label and the line it stands on."""


@click.command("label")
@click.argument("endpoint")
@click.argument("prediction_id", required=False)
@click.argument("truth", required=False)
@click.option("--by", help="It is what a person decided, and this is who; with a key, the key's name.")
@click.option("--file", "file", help="JSON Lines, one label per line, `-` for standard input.")
@url_option
@project_option
@home_option
@json_option
def command(
    *,
    endpoint: str,
    prediction_id: str | None,
    truth: str | None,
    by: str | None,
    file: str | None,
    url: str | None,
    project: str,
    home: Path,
    as_json: bool,
) -> None:
    """Tell a running endpoint what turned out to be true.

    Either one prediction's id and the truth (JSON: 1, true, "churned"), or --file with lines such as
    {"id": "...", "label": 1} or {"key": "...", "at": "...", "label": 1}. With --by it is a person's decision.
    """
    if file is not None and prediction_id is not None:
        raise click.UsageError("name a prediction and the truth, or --file, not both")
    if file is None and (prediction_id is None or truth is None):
        raise click.UsageError("name a prediction and the truth, or --file")
    if file is not None and by is not None:
        raise click.UsageError("--by goes with one prediction and its truth, not with --file")
    labels = [] if file is None else _read(file)
    with running_client(home, url, project) as client:
        if by is not None:
            accepted = client.decide(endpoint, [{"id": prediction_id, "decision": _truth(truth or ""), "actor": by}])
        elif file is None:
            accepted = client.label(endpoint, [{"id": prediction_id, "label": _truth(truth or "")}])
        else:
            accepted = _send(client, endpoint, labels)
    click.echo(json.dumps({"accepted": accepted}) if as_json else f"{accepted} accepted")


def _read(file: str) -> list[Numbered]:
    lines = enumerate(read_text(file).splitlines(), 1)
    labels = [(number, _parsed(line, f"line {number}")) for number, line in lines if line.strip()]
    if not labels:
        raise BadInput(file, "size", "holds no label")
    return labels


def _send(client: Client, endpoint: str, labels: list[Numbered]) -> int:
    """How many were accepted. Raises BadInput naming the line that was refused, and what is kept all the same."""
    accepted = 0
    for start in range(0, len(labels), _BATCH):
        batch = labels[start : start + _BATCH]
        try:
            accepted += client.label(endpoint, [label for _, label in batch])
        except BadInput as error:
            entry = _ENTRY.match(error.field)
            if entry is None:
                raise
            field = error.field[entry.end() :]
            kept = f"; the labels of the lines before {batch[0][0]} are kept" if accepted else ""
            message = f"{field}: {error.message}{kept}" if field else f"{error.message}{kept}"
            raise BadInput(f"line {batch[int(entry[1])][0]}", error.rule, message) from error
    return accepted


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BodyRefused(where, "json", f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BodyRefused(where, "type", "a label is an object")
    return value


def _truth(text: str) -> object:
    """JSON where it is JSON, else the text itself: nobody quotes a class name twice in a shell."""
    try:
        return json.loads(text)
    except ValueError:
        return text
