"""``headgate register``: turn a model into a package and keep it as a new version."""

from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.cli.options import checked_text, home_option, json_option, project_option, store_option, why_option
from headgate.registry.register import Registered


@click.command("register")
@click.argument("name")
@click.argument("model")
@click.option("--reference", type=click.Path(path_type=Path), required=True, help="Rows the model was fitted on.")
@click.option("--label", help="Column of the reference that holds the truth.")
@click.option("--contract", type=click.Path(path_type=Path), help="Contract as YAML; without it one is inferred.")
@click.option("--parent", callback=checked_text, help="Version this one was derived from, such as name:2.")
@click.option("--code", callback=checked_text, help="What built it: a commit, a command.")
@click.option(
    "--trust",
    is_flag=True,
    allow_from_autoenv=False,
    help="The file may run code when it is opened, and I trust it.",
)
@why_option
@project_option
@home_option
@store_option
@json_option
def command(
    *,
    name: str,
    model: str,
    reference: Path,
    label: str | None,
    contract: Path | None,
    parent: str | None,
    code: str | None,
    trust: bool,
    why: str,
    project: str,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Turn a model into a package and keep it as a new version.

    MODEL is one of:

    \b
      .skops              scikit-learn
      .joblib, .pkl       scikit-learn, XGBoost or LightGBM wrappers; with --trust
      .ubj, .json         XGBoost
      .txt                LightGBM
      .onnx               ONNX
      .pt2                PyTorch, saved with torch.export
      .keras              Keras
      a folder            a text model: its model.onnx and its tokenizer.json
      file.py:Class       a Python class with predict; with --trust
    """  # noqa: D301 - \b tells click to keep the lines
    with open_home(home, store=store, project=project) as hg:
        registered = hg.register(
            name,
            model,
            reference=reference,
            label=label,
            contract=contract,
            parent=parent,
            code=code,
            trust=trust,
            why=why,
        )
    click.echo(_json(registered) if as_json else _text(registered))


def _json(registered: Registered) -> str:
    shown = {
        "version": registered.version.ref,
        "digest": registered.digest,
        "engine": registered.version.engine,
        "chosen": registered.chosen,
        "reason": registered.reason,
        "parity": registered.parity,
        "new": bool(registered.events),
    }
    return msgspec.json.encode(shown).decode()


def _text(registered: Registered) -> str:
    version, parity = registered.version, registered.parity
    lines = [
        f"{version.ref}  {'registered' if registered.events else 'was registered before'}",
        f"  runs as       {registered.chosen}",
        f"  because       {registered.reason}",
        f"  parity        {parity.rows:,} rows, largest difference "
        f"{parity.max_difference:.2g}, {parity.label_flips} label flips",
        f"  digest        {registered.digest}",
        f"next: headgate evaluate {version.ref} ROWS --gate '...'   (a version takes traffic once it passed)",
    ]
    return "\n".join(lines)
