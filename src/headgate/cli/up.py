"""``headgate up``: serve everything in a home directory."""

import logging

import click

from headgate.app.up import up
from headgate.cli.options import (
    PORT,
    as_settings,
    control_port_option,
    gateway_options,
    grpc_port_option,
    home_option,
    host_option,
    insecure_option,
    port_option,
    route_options,
    seal_interval_option,
    store_option,
    tls_options,
)
from headgate.settings import Settings


@click.command("up")
@home_option
@store_option
@host_option
@port_option
@grpc_port_option
@control_port_option
@click.option("--metrics-port", type=PORT, default=8082, show_default=True, help="Prometheus metrics.")
@click.option("--workers", type=click.IntRange(min=0), default=0, help="Gateway processes; 0 means one per core.")
@gateway_options
@seal_interval_option
@route_options
@click.option("--replay", is_flag=True, help="Let callers state event times and move the clock.")
@insecure_option
@tls_options
@as_settings
def command(*, settings: Settings, store: str | None) -> None:
    """Serve everything in a home directory until it is told to stop.

    Makes the home if it is not there. Starts gateways, runtime hosts and the controller, starts again what
    dies, and ends them in order on SIGTERM or Ctrl-C.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    up(settings, store=store, said=click.echo)
