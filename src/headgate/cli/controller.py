"""``headgate controller``: the control loop and its API, for supervisors other than our own too."""

import logging

import click

from headgate.app.controller import run_controller
from headgate.cli.options import (
    as_settings,
    control_port_option,
    home_option,
    host_option,
    insecure_option,
    parent_option,
    seal_interval_option,
    store_option,
    tls_options,
)
from headgate.settings import Settings
from headgate.supervisor.parent import die_with_parent


@click.command("controller")
@home_option
@store_option
@host_option
@control_port_option
@seal_interval_option
@click.option("--replay", is_flag=True, help="Run on a clock callers move.")
@insecure_option
@tls_options
@parent_option
@as_settings
def command(*, settings: Settings, store: str | None, parent: int | None) -> None:
    """Run the controller; `headgate up` does this for you.

    It publishes traffic, seals the journal into the lake, enforces retention and answers the control API.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s controller %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # which migration runs is no news to an operator
    if parent is not None:
        die_with_parent(parent)
    run_controller(settings, store=store)
