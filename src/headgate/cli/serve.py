"""``headgate serve``: what ``docker run IMAGE serve`` starts where a platform runs the container."""

import logging
from pathlib import Path

import click

from headgate.app.container import container_home
from headgate.app.up import up
from headgate.cli.options import PORT, checked_route, store_option
from headgate.settings import Home, Settings


@click.command("serve")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=container_home,
    show_default="$HEADGATE_HOME, else /opt/ml/model when it holds a home",
    help="Directory of the installation.",
)
@store_option
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104 # a container's
@click.option(
    "--port", type=PORT, default=8080, envvar="AIP_HTTP_PORT", show_default="$AIP_HTTP_PORT or 8080", help="Callers."
)
@click.option(
    "--health-route",
    metavar="PATH",
    callback=checked_route,
    envvar="AIP_HEALTH_ROUTE",
    show_default="$AIP_HEALTH_ROUTE",
    help="Further path for health checks.",
)
@click.option(
    "--predict-route",
    metavar="PATH",
    callback=checked_route,
    envvar="AIP_PREDICT_ROUTE",
    show_default="$AIP_PREDICT_ROUTE",
    help="Further path for Vertex AI's predictions.",
)
@click.option("--control-port", type=PORT, default=8090, show_default=True, help="Control API.")
@click.option("--metrics-port", type=PORT, default=8082, show_default=True, help="Prometheus metrics.")
@click.option("--workers", type=click.IntRange(min=0), default=0, help="Gateway processes; 0 means one per core.")
def command(
    *,
    home: Path,
    store: str | None,
    host: str,
    port: int,
    health_route: str | None,
    predict_route: str | None,
    control_port: int,
    metrics_port: int,
    workers: int,
) -> None:
    """Serve a home as a container of SageMaker or Vertex AI.

    As `headgate up`, but on every address: such a platform asks who callers are before the container hears of
    them. Anywhere else, say `headgate up`.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    settings = Settings(
        home=Home(home),
        host=host,
        port=port,
        grpc_port=0,  # these platforms speak HTTP
        insecure=True,  # the platform asks who callers are
        health_route=health_route,
        predict_route=predict_route,
        control_port=control_port,
        metrics_port=metrics_port,
        workers=workers,
    )
    up(settings, store=store, said=click.echo)
