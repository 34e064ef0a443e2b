"""``headgate gateway``: one gateway process, for supervisors other than our own too."""

import logging
from pathlib import Path

import click

from headgate.app.gateway import run_gateway
from headgate.cli.options import PORT, SECONDS, gateway_options, guarded, home_option, insecure_option, tls_options
from headgate.settings import Home, Settings
from headgate.supervisor.parent import die_with_parent


@click.command("gateway")
@home_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=PORT, default=8080, show_default=True, help="Predictions and labels.")
@click.option(
    "--index",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Which of the home's gateways this is, from 0.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Gateways that share the port; each lets a caller have its part of the caller's rate.",
)
@gateway_options
@click.option("--seal-interval", type=SECONDS, default=10.0, show_default=True, help="Seconds between two sealings.")
@click.option("--replay", is_flag=True, help="Let callers state event times.")
@insecure_option
@tls_options
@click.option("--parent", type=int, help="Process whose end ends this one.")
def command(
    *,
    home: Path,
    host: str,
    port: int,
    index: int,
    workers: int,
    commit_interval: float,
    segment_bytes: int,
    body_limit: int,
    queue_rows: int,
    seal_interval: float,
    replay: bool,
    insecure: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    parent: int | None,
) -> None:
    """Run one gateway process; `headgate up` does this for you.

    Several may share one port; each needs an --index of its own.
    """
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s gateway {index} %(message)s", datefmt="%H:%M:%S")
    if parent is not None:
        die_with_parent(parent)
    settings = Settings(
        home=Home(home),
        host=host,
        port=port,
        workers=workers,
        commit_interval=commit_interval,
        segment_bytes=segment_bytes,
        body_limit=body_limit,
        queue_rows=queue_rows,
        seal_interval=seal_interval,
        replay=replay,
        insecure=insecure,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
    )
    run_gateway(guarded(settings), index)
