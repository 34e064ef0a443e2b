"""``headgate alias``: point a name at a version, or list the names."""

import json
from pathlib import Path

import click

from headgate.app.facade import open_home
from headgate.app.told import model_of
from headgate.cli.options import home_option, json_option, project_option, store_option, why_option


@click.command("alias")
@click.argument("version")
@click.argument("alias", required=False)
@why_option
@project_option
@home_option
@store_option
@json_option
def command(
    *, version: str, alias: str | None, why: str, project: str, home: Path, store: str | None, as_json: bool
) -> None:
    """Point a name such as champion at a version, or list the names.

    `headgate alias flight-delay:2 champion` moves the name; `headgate alias flight-delay` lists them.
    """
    with open_home(home, store=store, project=project) as hg:
        if alias is not None:
            moved = hg.alias(version, alias, why=why)
            click.echo(json.dumps({alias: moved.number}) if as_json else f"{moved.model}@{alias} is {moved.ref} now")
            return
        names = hg.aliases(model_of(version))
    model = model_of(version)
    lines = [f"{model}@{name}  version {number}" for name, number in sorted(names.items())]
    click.echo(json.dumps(names) if as_json else "\n".join(lines) or "no aliases yet")
