"""``headgate label``: tell a running endpoint what turned out to be true."""

import json
from pathlib import Path

import click

from headgate.app.up import running_client
from headgate.cli.options import home_option, json_option, project_option, read_text, url_option
from headgate.errors import BodyRefused


@click.command("label")
@click.argument("endpoint")
@click.argument("prediction_id", required=False)
@click.argument("truth", required=False)
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
    file: str | None,
    url: str | None,
    project: str,
    home: Path,
    as_json: bool,
) -> None:
    """Tell a running endpoint what turned out to be true.

    Either one prediction's id and the truth (JSON: 1, true, "churned"), or --file with lines such as
    {"id": "...", "label": 1} or {"key": "...", "at": "...", "label": 1}.
    """
    if file is not None:
        labels = [_parsed(line, f"line {n}") for n, line in enumerate(read_text(file).splitlines(), 1) if line.strip()]
    elif prediction_id is not None and truth is not None:
        labels = [{"id": prediction_id, "label": _truth(truth)}]
    else:
        raise click.UsageError("name a prediction and the truth, or --file")
    with running_client(home, url, project) as client:
        accepted = client.label(endpoint, labels)
    click.echo(json.dumps({"accepted": accepted}) if as_json else f"{accepted} accepted")


def _parsed(line: bytes, where: str) -> dict[str, object]:
    try:
        value = json.loads(line)
    except ValueError as error:
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
