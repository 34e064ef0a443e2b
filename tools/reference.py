"""Writes the generated parts of docs/reference from the code, or with ``--check`` says which are out of date.

A generated part stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; everything else on those pages is
written by hand. Run it after changing a command, an error, an event, a metric, a setting or the Python API.
"""

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from headgate import errors, settings
from headgate.cli.exits import EXIT_CODES, exit_code
from headgate.cli.main import VERBS, headgate_command
from headgate.errors import HeadgateError
from headgate.gateway.doors.statuses import NATIVE, V2, rpc_status_of, status_of
from headgate.gateway.metrics.families import FAMILIES, Kind

ROOT: Final = Path(__file__).parent.parent
SOURCE: Final = ROOT / "src" / "headgate"
PAGES: Final = ROOT / "docs" / "reference"
_PART: Final = re.compile(r"(<!-- begin (?P<name>[a-z-]+) -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)
_WIDTH: Final = 100


def fill(page: str) -> str:
    r"""The page with every generated part written anew.

    >>> fill("<!-- begin exit-codes -->\nold\n<!-- end exit-codes -->\n").splitlines()[1]
    '| code | meaning |'
    """
    return _PART.sub(lambda found: f"{found[1]}{PARTS[found['name']]().strip()}\n{found[3]}", page)


# --- the command line


def verbs() -> str:
    """Every verb with what ``--help`` says of it."""
    parts = []
    for name in VERBS:
        command = headgate_command.get_command(click.Context(headgate_command), name)
        if command is None:
            raise LookupError(name)
        parent = click.Context(headgate_command, info_name="headgate")
        parts.append(f"## `headgate {name}`\n\n{_help(command, name, parent)}")
        if isinstance(command, click.Group):
            group = click.Context(command, info_name=name, parent=parent)
            for part, inner in command.commands.items():
                parts.append(f"### `headgate {name} {part}`\n\n{_help(inner, part, group)}")
    return "\n".join(parts)


def _help(command: click.Command, name: str, parent: click.Context) -> str:
    context = click.Context(command, info_name=name, parent=parent, max_content_width=_WIDTH, terminal_width=_WIDTH)
    context.help_option_names = ["-h", "--help"]
    return f"```text\n{command.get_help(context)}\n```\n"


def exit_codes() -> str:
    """What each exit code means."""
    return _table(["code", "meaning"], [[str(code), says] for code, says in EXIT_CODES.items()])


# --- errors


def error_tree() -> str:
    """The tree as it is drawn in ``errors.py``."""
    lines = (errors.__doc__ or "").partition("::\n\n")[2].splitlines()
    return "```text\n" + "\n".join(line.removeprefix("    ") for line in lines) + "\n```"


def error_table() -> str:
    """Every class with its meaning, exit code and statuses."""
    rows = []
    for name, kind in vars(errors).items():
        if not (isinstance(kind, type) and issubclass(kind, HeadgateError)):
            continue
        error = kind.__new__(kind)
        error.rule = ""  # type: ignore[attr-defined] # what the size rule of a body is told by
        meaning = " ".join((kind.__doc__ or "").split("\n\n")[0].split()).replace("``", "`")
        statuses = [str(status_of(error, table)) for table in (NATIVE, V2)]
        rpc = f"`{rpc_status_of(error).name}`"
        rows.append([f"`{name}`", meaning, str(exit_code(error)), *statuses, rpc])
    return _table(["error", "meaning", "exit code", "native", "V2", "gRPC"], rows)


# --- events, metrics, settings


def event_table() -> str:
    """Every kind of event with what it says."""
    said = attributes(SOURCE / "events.py", "EventKind")
    return _table(["kind", "meaning"], [[f"`{name.lower()}`", says] for name, _, _, says in said])


def metric_table() -> str:
    """Every family with its type, labels and meaning."""
    rows = []
    for each in FAMILIES.values():
        shown = "gauge" if each.kind is Kind.STATE else each.kind.value
        labels = ", ".join(f"`{label}`" for label in each.labels) or "-"
        rows.append([f"`{each.name}`", shown, labels, each.says])
    return _table(["name", "type", "labels", "meaning"], rows)


def buckets() -> str:
    """The bucket bounds of every histogram."""
    rows = [
        [f"`{each.name}`", ", ".join(f"{bound:g}" for bound in each.buckets)]
        for each in FAMILIES.values()
        if each.buckets
    ]
    return _table(["histogram", "upper bounds"], rows)


def setting_table() -> str:
    """Every setting with its default, its flag and its meaning."""
    up = headgate_command.get_command(click.Context(headgate_command), "up")
    flags = {} if up is None else {each.name: each.opts[0] for each in up.params}
    rows = []
    for name, _, default, says in attributes(SOURCE / "settings.py", "Settings"):
        shown = "-" if default is None else f"`{_plain(default)}`"
        flag = f"`{flags[name]}`" if name in flags else "-"
        rows.append([f"`{name}`", shown, flag, says or _UNSAID[name]])
    if {name for name, *_ in attributes(SOURCE / "settings.py", "Settings")} != set(
        settings.Settings.__dataclass_fields__
    ):
        raise LookupError("a setting was not found in settings.py")
    return _table(["setting", "default", "flag of `headgate up`", "meaning"], rows)


_UNSAID: Final = {
    "home": "Directory of the installation; see the table of its files below.",
    "host": "Address every port listens on; any but the loopback needs a key, rules for tokens, or `--insecure`.",
    "port": "TCP port of predictions and labels.",
}


def home_table() -> str:
    """Everything in a home directory."""
    tree = ast.parse((SOURCE / "settings.py").read_text())
    home = next(each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == "Home")
    rows = []
    for each in home.body:
        if isinstance(each, ast.FunctionDef) and isinstance(returned := each.body[-1], ast.Return) and returned.value:
            name = ast.unparse(returned.value).removeprefix("self.").removeprefix("root / ").replace(" / ", "/")
            name = name.replace("'", "")
            rows.append([f"`{name}`", _sentence(ast.get_docstring(each)).removeprefix(f"`{name}`: ")])
    return _table(["in the home", "what it holds"], rows)


def endpoint_file() -> str:
    """Every key of an endpoint file, from the structs that read it."""
    path = SOURCE / "traffic" / "endpoint.py"
    parts = {
        "slo": (path, "Slo"),
        "resources": (SOURCE / "traffic" / "traffic.py", "Resources"),
        "journal": (path, "JournalWords"),
        "capture": (SOURCE / "traffic" / "traffic.py", "Capture"),
        "rollouts": (path, "RolloutBudget"),
        "traffic": (path, "Split"),
        "traffic.split[]": (path, "Share"),
    }
    rows = []
    for name, _, default, says in attributes(path, "EndpointSpec"):
        if name not in parts:
            rows.append([f"`{name}`", _default(default), _null(says) or _KEYS[name]])
        for prefix, (file, kind) in parts.items():
            if prefix.partition(".")[0] == name:
                for inner, _, inner_default, inner_says in attributes(file, kind):
                    key = f"{prefix}.{inner}"
                    rows.append([f"`{key}`", _default(inner_default), _null(inner_says) or _KEYS[key]])
    return _table(["key", "default", "meaning"], rows)


_KEYS: Final = {
    "endpoint": "The name callers use.",
    "project": "Who owns it.",
    "journal.ack": "`durable`: a reply leaves once its records are on disk. `buffered`: once they were handed over.",
    "journal.on_failure": "When the journal cannot be written: `refuse` (503) or `answer` (with `journalled: false`).",
    "capture.sampling_percent": "Share of rows whose features the journal keeps, 0 to 100.",
    "traffic.split": "The versions that share the callers, each with a weight.",
}


# --- the Python API


def api_of_home() -> str:
    """The methods of what ``headgate.open`` gives."""
    return _methods(SOURCE / "app" / "facade.py", "Headgate", "hg")


def api_of_keys() -> str:
    """The methods of ``hg.keys``."""
    return _methods(SOURCE / "app" / "keys.py", "Keys", "hg.keys")


def api_of_rollouts() -> str:
    """The methods of ``hg.rollouts``."""
    return _methods(SOURCE / "app" / "rollouts.py", "Rollouts", "hg.rollouts")


def api_of_client() -> str:
    """The methods of what ``headgate.connect`` gives."""
    return _methods(SOURCE / "client.py", "Client", "client")


def api_of_reader() -> str:
    """The methods of ``hg.reader``."""
    return _methods(SOURCE / "journal" / "reader.py", "Reader", "hg.reader")


def _methods(path: Path, kind: str, shown: str) -> str:
    parts = []
    for each in _class(path, kind).body:
        if not isinstance(each, ast.FunctionDef) or each.name.startswith("_"):
            continue
        arguments = re.sub(r"(?<=[]\w])=", " = ", ast.unparse(each.args).removeprefix("self").removeprefix(", "))
        returns = f" -> {ast.unparse(each.returns)}" if each.returns else ""
        text = _unquoted(ast.get_docstring(each) or "")
        parts.append(f"### `{shown}.{each.name}`\n\n```py\n{shown}.{each.name}({arguments}){returns}\n```\n\n{text}\n")
    return "\n".join(parts)


# --- reading the source


def attributes(path: Path, kind: str) -> list[tuple[str, str, str | None, str]]:
    """(name, type, default, meaning) of every attribute of a class, the meaning from the string below it."""
    body = _class(path, kind).body
    found = []
    for place, each in enumerate(body):
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            name, kind_text, value = each.target.id, ast.unparse(each.annotation), each.value
        elif isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
            name, kind_text, value = each.targets[0].id, "", each.value
        else:
            continue
        below = body[place + 1] if place + 1 < len(body) else None
        says = ""
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            says = _sentence(below.value.value)
        found.append((name, kind_text, None if value is None else ast.unparse(value), says))
    return found


def _class(path: Path, kind: str) -> ast.ClassDef:
    tree = ast.parse(path.read_text())
    return next(each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == kind)


def _sentence(text: str | None) -> str:
    return _unquoted(" ".join((text or "").split())).replace("|", "\\|")


def _unquoted(text: str) -> str:
    return text.replace("``", "`")


def _null(says: str) -> str:
    """What a YAML file calls what Python calls None."""
    return says.replace("None ", "null ")


def _default(text: str | None) -> str:
    return "required" if text is None else f"`{_plain(text)}`"


def _plain(text: str) -> str:
    named = {"DEFAULT_PROJECT": "default", "Ack.DURABLE": "durable", "OnFailure.REFUSE": "refuse", "None": "null"}
    if re.fullmatch(r"[0-9_* ]+", text):
        product = 1
        for factor in text.replace("_", "").split("*"):
            product *= int(factor)
        return f"{product:,}" if product >= 100_000 else str(product)
    return named.get(text, text.strip("'") or '""')


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


PARTS: Final[dict[str, Callable[[], str]]] = {
    "verbs": verbs,
    "exit-codes": exit_codes,
    "error-tree": error_tree,
    "error-table": error_table,
    "event-table": event_table,
    "metric-table": metric_table,
    "buckets": buckets,
    "setting-table": setting_table,
    "home-table": home_table,
    "endpoint-file": endpoint_file,
    "api-of-home": api_of_home,
    "api-of-keys": api_of_keys,
    "api-of-rollouts": api_of_rollouts,
    "api-of-client": api_of_client,
    "api-of-reader": api_of_reader,
}


def main(arguments: list[str]) -> int:
    """0 when every page is as the code has it, 1 when ``--check`` found one that is not."""
    stale = []
    for path in sorted(PAGES.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        filled = fill(text)
        if filled != text:
            stale.append(path.name)
            if "--check" not in arguments:
                path.write_text(filled, encoding="utf-8")
    if stale:
        print(f"{'out of date' if '--check' in arguments else 'written'}: {', '.join(stale)}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
