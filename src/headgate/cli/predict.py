"""``headgate predict``: ask a running endpoint."""

import json
from pathlib import Path

import click

from headgate.app.facade import running_client
from headgate.cli.options import home_option, project_option, read_text, url_option
from headgate.errors import BodyRefused


@click.command("predict")
@click.argument("endpoint")
@click.argument("rows")
@url_option
@project_option
@home_option
def command(*, endpoint: str, rows: str, url: str | None, project: str, home: Path) -> None:
    """Ask a running endpoint.

    ROWS is a JSON file holding one row or a list of rows, `-` for standard input, or the JSON itself.
    """
    text = rows.encode() if rows.lstrip().startswith(("{", "[")) else read_text(rows)
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise BodyRefused("rows", "json", f"not JSON: {error}") from error
    with running_client(home, url, project) as client:
        for prediction in client.predict(endpoint, parsed if isinstance(parsed, list) else [parsed]):
            click.echo(json.dumps(prediction))
