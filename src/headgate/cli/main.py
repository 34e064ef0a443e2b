"""The `headgate` command: finds the verb, runs it, turns errors into messages and exit codes.

Verbs are imported when they are used: a verb may need the whole platform, ``--help`` needs none of it. The table
below is what ``--help`` prints; a test holds it against the verbs themselves.
"""

import difflib
import importlib
import sys
from typing import Final

import click

from headgate.cli.exits import EXIT_CODES, exit_code
from headgate.errors import HeadgateError, MissingExtra
from headgate.vocabulary import VERSION

VERBS: Final = {
    "demo": "Watch a model keep itself through ten months of real flights.",
    "init": "Draft endpoint.yaml from a reference file.",
    "learn": "Learn a model from a file of labelled rows, and say which and why.",
    "recipe": "Try a recipe on a file of labelled rows, as the loop would run it.",
    "register": "Turn a model into a package and keep it as a new version.",
    "evaluate": "Measure a version on labelled rows and judge its gates.",
    "prove": "Hold a version against the one it may replace, and say whether it may.",
    "alias": "Point a name such as champion at a version, or list the names.",
    "apply": "Create or change an endpoint from its file.",
    "plan": "Show what a rollout would do, and how long it would take; nothing moves.",
    "deploy": "Begin a rollout: a new version takes traffic step by step, under guards.",
    "retrain": "Have the model of ENDPOINT learn again, as `retraining` in its file says, or look at the runs.",
    "rollout": "Look at an endpoint's rollout, or move it by hand.",
    "review": "Look at what waits for people to decide, or take the next case.",
    "report": "Report on an endpoint: how it stands, what it did day by day, and its newest rollout's comparison.",
    "explain": "Tell how a model came to be in charge: what fired, what data, what was proved, who approved.",
    "card": "Write a version's model card from its records.",
    "pipeline": "Run a pipeline: sources, a check with quarantine, transforms, a training set, and what follows.",
    "rollback": "Take an endpoint back: abort its rollout, or return to the version before the last promotion.",
    "up": "Serve everything in a home directory.",
    "serve": "Serve a home as a container of SageMaker or Vertex AI.",
    "predict": "Ask a running endpoint.",
    "label": "Tell a running endpoint what turned out to be true.",
    "score": "Answer a whole file of rows with one version.",
    "size": "Load-test a package on this machine and say what it needs.",
    "status": "Show what an endpoint did, window by window.",
    "monitor": "Say how an endpoint stands: what its monitors found, since when, how sure, and what to do.",
    "alerts": "Look at what monitors found, take it on, or silence an endpoint.",
    "mlflow": "Show how the home stands with its tracking server, or hand it what it was not told.",
    "metrics": "Print alert rules for Prometheus or a dashboard for Grafana.",
    "key": "Make, list, rotate and revoke the keys callers show.",
    "audit": "Show the sealed history, or verify that nothing in it was changed.",
    "doctor": "Say what is wrong with an installation and what to do.",
    "gateway": "Run one gateway process; `up` does this for you.",
    "controller": "Run the controller; `up` does this for you.",
}


class Verbs(click.Group):
    """A group whose commands live in modules of the same name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order a newcomer meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, imported now."""
        if cmd_name not in VERBS:
            return None
        try:
            command: click.Command = importlib.import_module(f"headgate.cli.{cmd_name}").command
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == "headgate":
                raise
            raise MissingExtra(f"headgate {cmd_name}", "platform") from error
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb, or what the word was probably meant to be."""
        meant = difflib.get_close_matches(args[0], VERBS, 1)
        if args[0] not in VERBS and meant:
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{meant[0]}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of verbs, printed without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every option can come from the environment: HEADGATE_UP_PORT=8081 is `headgate up --port 8081`.\n\n"
    "\b\nExit codes:\n" + "\n".join(f"  {code:>2}  {says}" for code, says in EXIT_CODES.items()),
)
@click.version_option(VERSION, message="headgate %(version)s")
def headgate_command() -> None:
    """Serve a model, remember every answer and the truth that comes later, and measure it."""


def main() -> None:
    """Run the command line and exit with the code of what happened."""
    try:
        # Outside standalone mode click hands back what a verb exits with instead of leaving.
        status = headgate_command(standalone_mode=False, prog_name="headgate", auto_envvar_prefix="HEADGATE")
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except HeadgateError as error:
        click.echo(f"headgate: {error}", err=True)
        sys.exit(exit_code(error))
    except OSError as error:
        # A file the caller named, or a disk that is full: no verb foresaw it, but the kernel says what is wrong.
        what = f"{error.filename}: " if error.filename else ""
        click.echo(f"headgate: {what}{error.strerror or type(error).__name__}", err=True)
        sys.exit(4 if isinstance(error, FileNotFoundError) else 1)


if __name__ == "__main__":
    main()
