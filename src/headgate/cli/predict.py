"""``headgate predict``: ask a running endpoint."""

import json
from pathlib import Path

import click

from headgate.app.up import running_client
from headgate.cli.options import home_option, project_option, read_text, url_option
from headgate.errors import BodyRefused


@click.command("predict")
@click.argument("endpoint")
@click.argument("rows")
@url_option
@project_option
@home_option
@click.pass_context
def command(context: click.Context, *, endpoint: str, rows: str, url: str | None, project: str, home: Path) -> None:
    """Ask a running endpoint.

    ROWS is a JSON file holding one row or a list of rows, `-` for standard input, or the JSON itself.
    Prints one JSON object per row. The exit code is 3 when a row was refused.
    """
    text = rows.encode() if rows.lstrip().startswith(("{", "[")) else read_text(rows)
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BodyRefused("rows", "json", f"not JSON: {error}") from error
    with running_client(home, url, project) as client:
        predictions = client.predict(endpoint, parsed if isinstance(parsed, list) else [parsed])
    for prediction in predictions:
        click.echo(json.dumps(prediction, ensure_ascii=False))
    context.exit(3 if any("error" in each for each in predictions) else 0)
