"""``headgate controller``: the control loop and its API, for supervisors other than our own too."""

import logging
from pathlib import Path

import click

from headgate.app.controller import run_controller
from headgate.cli.options import PORT, SECONDS, guarded, home_option, insecure_option, store_option
from headgate.settings import Home, Settings
from headgate.supervisor.parent import die_with_parent


@click.command("controller")
@home_option
@store_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--control-port", type=PORT, default=8090, show_default=True, help="Control API.")
@click.option("--seal-interval", type=SECONDS, default=10.0, show_default=True, help="Seconds between two sealings.")
@click.option("--replay", is_flag=True, help="Run on a clock callers move.")
@insecure_option
@click.option("--parent", type=int, help="Process whose end ends this one.")
def command(
    *,
    home: Path,
    store: str | None,
    host: str,
    control_port: int,
    seal_interval: float,
    replay: bool,
    insecure: bool,
    parent: int | None,
) -> None:
    """Run the controller; `headgate up` does this for you.

    It publishes traffic, seals the journal into the lake, enforces retention and answers the control API.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s controller %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # which migration runs is no news to an operator
    if parent is not None:
        die_with_parent(parent)
    settings = Settings(
        home=Home(home), host=host, control_port=control_port, seal_interval=seal_interval, replay=replay
    )
    run_controller(guarded(settings, insecure=insecure), store=store)
