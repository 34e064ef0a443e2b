"""``headgate doctor``: what is wrong with an installation and what to do."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from headgate.app.doctor import Finding, Health, examine
from headgate.cli.options import home_option, json_option, store_option

_SIGNS = {Health.GOOD: ("ok  ", "green"), Health.NOTE: ("note", "yellow"), Health.BAD: ("BAD ", "red")}


@click.command("doctor")
@home_option
@store_option
@json_option
@click.pass_context
def command(context: click.Context, *, home: Path, store: str | None, as_json: bool) -> None:
    """Say what is wrong with an installation and what to do.

    Checks the install, the home directory, every package byte by byte and by running it, the endpoints and the
    journal. Changes nothing. The exit code is 6 when something is bad.
    """
    findings = examine(home, store=store)
    bad = any(each.health is Health.BAD for each in findings)
    if as_json:
        click.echo(json.dumps({"findings": [asdict(each) for each in findings], "healthy": not bad}))
    else:
        for each in findings:
            click.echo(_line(each))
    context.exit(6 if bad else 0)


def _line(finding: Finding) -> str:
    sign, color = _SIGNS[finding.health]
    advice = f"\n      → {finding.advice}" if finding.advice else ""
    return f"{click.style(sign, fg=color)}  {finding.what}{advice}"
