"""``headgate gateway``: one gateway process, for supervisors other than our own too."""

import logging

import click

from headgate.app.gateway import run_gateway
from headgate.cli.options import (
    as_settings,
    gateway_options,
    grpc_port_option,
    home_option,
    host_option,
    insecure_option,
    parent_option,
    port_option,
    route_options,
    seal_interval_option,
    tls_options,
)
from headgate.settings import Settings
from headgate.supervisor.parent import die_with_parent


@click.command("gateway")
@home_option
@host_option
@port_option
@grpc_port_option
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
@seal_interval_option
@route_options
@click.option("--replay", is_flag=True, help="Let callers state event times.")
@insecure_option
@tls_options
@parent_option
@as_settings
def command(*, settings: Settings, index: int, parent: int | None) -> None:
    """Run one gateway process; `headgate up` does this for you.

    Several may share one port; each needs an --index of its own.
    """
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s gateway {index} %(message)s", datefmt="%H:%M:%S")
    if parent is not None:
        die_with_parent(parent)
    run_gateway(settings, index)
