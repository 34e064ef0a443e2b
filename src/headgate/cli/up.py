"""``headgate up``: serve everything in a home directory."""

import logging
from pathlib import Path

import click

from headgate.app.up import up
from headgate.cli.options import (
    PORT,
    SECONDS,
    gateway_options,
    guarded,
    home_option,
    insecure_option,
    store_option,
    tls_options,
)
from headgate.settings import Home, Settings


@click.command("up")
@home_option
@store_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=PORT, default=8080, show_default=True, help="Predictions and labels.")
@click.option("--control-port", type=PORT, default=8090, show_default=True, help="Control API.")
@click.option("--metrics-port", type=PORT, default=8082, show_default=True, help="Prometheus metrics.")
@click.option("--workers", type=click.IntRange(min=0), default=0, help="Gateway processes; 0 means one per core.")
@gateway_options
@click.option("--seal-interval", type=SECONDS, default=10.0, show_default=True, help="Seconds between two sealings.")
@click.option("--replay", is_flag=True, help="Let callers state event times and move the clock.")
@insecure_option
@tls_options
def command(
    *,
    home: Path,
    store: str | None,
    host: str,
    port: int,
    control_port: int,
    metrics_port: int,
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
) -> None:
    """Serve everything in a home directory until it is told to stop.

    Makes the home if it is not there. Starts gateways, runtime hosts and the controller, starts again what
    dies, and ends them in order on SIGTERM or Ctrl-C.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    settings = Settings(
        home=Home(home),
        host=host,
        port=port,
        control_port=control_port,
        metrics_port=metrics_port,
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
    up(guarded(settings), store=store, said=click.echo)
