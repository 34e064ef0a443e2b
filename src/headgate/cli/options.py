"""Options that several verbs share, so that they are spelled and explained once."""

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from headgate.app.identity import asks_who_calls
from headgate.errors import BadConfiguration, BadInput, NotFound
from headgate.settings import STORE_VARIABLE, Home, Settings, default_home, default_store

Command = TypeVar("Command", bound=Callable[..., Any])


class _Directory(click.Path):
    """A directory with a name: an empty one, as a shell makes of a variable that is not set, is no place to work in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty; name a directory", param, ctx)
        return super().convert(value, param, ctx)


def home_option(command: Command) -> Command:
    """``--home``: which installation."""
    return click.option(
        "--home",
        type=_Directory(path_type=Path, file_okay=False),
        default=default_home,
        show_default="$HEADGATE_HOME or .headgate",
        help="Directory of the installation.",
    )(command)


def store_option(command: Command) -> Command:
    """``--store``: which database. A URL with a password belongs into the environment, where no listing shows it."""
    return click.option(
        "--store",
        default=default_store,
        metavar="URL",
        show_default=f"${STORE_VARIABLE} or store.sqlite in the home",
        help="Database of the installation: postgresql://USER@HOST/NAME, or the path of an SQLite file.",
    )(command)


def project_option(command: Command) -> Command:
    """``--project``: whose endpoint."""
    return click.option("--project", default="default", show_default=True, help="Owner of models and endpoints.")(
        command
    )


def json_option(command: Command) -> Command:
    """``--json``: for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


PORT: Final = click.IntRange(1, 65535)
"""A port callers can be told: 0, which means any, could not be."""
SECONDS: Final = click.FloatRange(min=0, min_open=True)


_GATEWAY_NUMBERS: Final = (
    ("--commit-interval", click.FloatRange(min=0), "Seconds records nobody waits for may gather before a commit."),
    ("--segment-bytes", click.IntRange(min=64 * 1024), "Size at which a journal segment is closed."),
    ("--body-limit", click.IntRange(min=1024), "Largest request body in bytes."),
    ("--queue-rows", click.IntRange(min=1), "Rows that may wait in one gateway."),
)


def host_option(command: Command) -> Command:
    """``--host``: where to listen."""
    return click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")(command)


def port_option(command: Command) -> Command:
    """``--port``: where gateways answer."""
    return click.option("--port", type=PORT, default=8080, show_default=True, help="Predictions and labels.")(command)


def control_port_option(command: Command) -> Command:
    """``--control-port``: where the controller answers."""
    return click.option("--control-port", type=PORT, default=8090, show_default=True, help="Control API.")(command)


def seal_interval_option(command: Command) -> Command:
    """``--seal-interval``: how soon records reach the lake."""
    return click.option(
        "--seal-interval", type=SECONDS, default=10.0, show_default=True, help="Seconds between two sealings."
    )(command)


def parent_option(command: Command) -> Command:
    """``--parent``: whose end is the end of this process."""
    return click.option("--parent", type=int, help="Process whose end ends this one.")(command)


def gateway_options(command: Command) -> Command:
    """The numbers of a gateway that seldom need another value; `up` hands them on."""
    for flag, kind, says in reversed(_GATEWAY_NUMBERS):
        default = Settings.__dataclass_fields__[flag.removeprefix("--").replace("-", "_")].default
        command = click.option(flag, type=kind, default=default, show_default=True, help=says)(command)
    return command


def checked_route(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A path that a platform chose, if it can be one."""
    if value is not None and (not value.startswith("/") or value == "/" or any(each in value for each in "?# ")):
        raise click.BadParameter("expected a path such as /predict")
    return value


_ROUTES: Final = (
    ("--health-route", "Further path for health checks, where a platform chooses it."),
    ("--predict-route", "Further path for Vertex AI's predictions, where a platform chooses it."),
)


def route_options(command: Command) -> Command:
    """The paths a platform chooses; `up` hands them on."""
    for flag, says in reversed(_ROUTES):
        command = click.option(flag, metavar="PATH", callback=checked_route, help=says)(command)
    return command


def grpc_port_option(command: Command) -> Command:
    """``--grpc-port``: where predictions come over gRPC."""
    return click.option(
        "--grpc-port",
        type=click.IntRange(0, 65535),
        default=8081,
        show_default=True,
        help="Predictions over gRPC, where the extra 'grpc' is installed; 0 switches it off.",
    )(command)


def insecure_option(command: Command) -> Command:
    """``--insecure``: said aloud or not at all, so no environment variable sets it."""
    return click.option(
        "--insecure",
        is_flag=True,
        allow_from_autoenv=False,
        help="Listen beyond this machine although nobody is asked who they are.",
    )(command)


def tls_options(command: Command) -> Command:
    """``--tls-cert`` and its companions: encrypted ports."""
    file = click.Path(path_type=Path, dir_okay=False)
    for flag, says in reversed(_TLS):
        command = click.option(flag, type=file, help=says)(command)
    return command


_TLS: Final = (
    ("--tls-cert", "Certificate chain in PEM: the callers', gRPC's and the control port speak TLS."),
    ("--tls-key", "Its private key in PEM, where that is a file of its own."),
    ("--tls-client-ca", "Authorities in PEM; every caller must show a certificate of theirs. HTTP is TLS 1.3 then."),
)


def as_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Hands `command` its options that are settings as one checked value, ``settings``, and the others by their names.

    It stands below the options: an option is a setting when it has the name of one.
    """

    @functools.wraps(command)
    def gathered(*, home: Path, **options: Any) -> None:
        chosen = {name: options.pop(name) for name in Settings.__dataclass_fields__ if name in options}
        command(settings=_guarded(Settings(Home(home), **chosen)), **options)

    return gathered


def _guarded(settings: Settings) -> Settings:
    """The settings, or BadConfiguration when they would let strangers in and nobody said so."""
    if settings.is_exposed and not settings.insecure and not asks_who_calls(settings.home):
        raise BadConfiguration(
            "--host",
            "other machines could predict, label and read results, and nobody is asked who they are; make a key first "
            "(`headgate key create`), write keys/oidc.yaml, or say --insecure on a network you trust",
        )
    return settings


def url_option(command: Command) -> Command:
    """``--url``: which running gateway."""
    return click.option("--url", help="Address of a gateway; without it the home's own is asked.")(command)


def checked_text(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Words the history can keep, looked at before anything is done that it would have to remember."""
    try:
        (value or "").encode()
    except UnicodeEncodeError as error:
        raise click.BadParameter("it is not UTF-8 text; does the terminal use another encoding?") from error
    return value


def why_option(command: Command) -> Command:
    """``--why``: the reason the history keeps."""
    return click.option("--why", default="", callback=checked_text, help="The reason; the history keeps it.")(command)


def read_text(source: str) -> bytes:
    """What a file holds, or standard input for ``-``. Raises NotFound, or BadInput when it cannot be read."""
    if source == "-":
        return sys.stdin.buffer.read()
    if not source:
        raise NotFound("file", source)
    try:
        return Path(source).read_bytes()
    except FileNotFoundError as error:
        raise NotFound("file", source) from error
    except OSError as error:
        raise BadInput(source, "unreadable", os.strerror(error.errno or 0).lower()) from error


def demo_options(*, home: str, quick: str) -> Callable[[Command], Command]:
    """``--home``, ``--quick`` and ``--json`` of a demo: where it works by default, and what being quick means."""
    where = click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        default=home,
        show_default=True,
        help="Directory to work in; an earlier demo's is replaced.",
    )
    fast = click.option("--quick", is_flag=True, help=quick)
    printed = click.option("--json", "as_json_", is_flag=True, help="Print one JSON object for programs.")
    return lambda command: where(fast(printed(command)))
