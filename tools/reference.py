"""Writes the generated parts of docs/reference from the code, or with ``--check`` says which are out of date.

A generated part stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; everything else on those pages is
written by hand. Run it after changing a command, an error, an event, a metric, a setting or the Python API.
"""

import ast
import re
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, get_args

import click

from headgate import errors, settings
from headgate.alerts.finding import Severity
from headgate.cli.exits import EXIT_CODES, exit_code
from headgate.cli.main import VERBS, headgate_command
from headgate.errors import HeadgateError
from headgate.gateway.doors.statuses import NATIVE, V2, rpc_status_of, status_of
from headgate.gateway.metrics.families import FAMILIES, PASSING
from headgate.rollouts.guards import RULES, Measure, Rule
from headgate.rollouts.plan import OnHorizon, Step
from headgate.traffic.endpoint import Live
from headgate.traffic.retrained import Promote
from headgate.traffic.watched import Compared
from headgate.vocabulary import DEFAULT_PROJECT, Ack, OnFailure, Task

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
        shown = "gauge" if each.kind in PASSING else each.kind.value
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
    path, retrained = SOURCE / "traffic" / "endpoint.py", SOURCE / "traffic" / "retrained.py"
    parts = {
        "slo": (path, "Slo"),
        "resources": (SOURCE / "traffic" / "traffic.py", "Resources"),
        "journal": (path, "JournalWords"),
        "capture": (SOURCE / "traffic" / "traffic.py", "Capture"),
        "review": (path, "Review"),
        "rollouts": (path, "RolloutBudget"),
        "monitors": (SOURCE / "traffic" / "watched.py", "MonitorWords"),
        "outliers": (SOURCE / "traffic" / "outliers.py", "OutlierWords"),
        "alerts": (SOURCE / "alerts" / "rule.py", "AlertWords"),
        "retraining": (retrained, "RetrainingWords"),
        "retraining.recipe": (retrained, "RecipeWords"),
        "retraining.recipe.automl": (retrained, "Automl"),
        "retraining.recipe.limits": (retrained, "LimitWords"),
        "traffic": (path, "Split"),
        "traffic.split[]": (path, "Share"),
    }
    return _keys_of(path, "EndpointSpec", parts)


_KEYS: Final = {
    "endpoint": "The name callers use.",
    "project": "Who owns it.",
    "journal.ack": "`durable`: a reply leaves once its records are on disk. `buffered`: once they were handed over.",
    "journal.on_failure": "When the journal cannot be written: `refuse` (503) or `answer` (with `journalled: false`).",
    "capture.sampling_percent": "Share of rows whose features the journal keeps, 0 to 100.",
    "traffic.split": "The versions that share the callers, each with a weight.",
}


def _keys_of(path: Path, kind: str, parts: Mapping[str, tuple[Path, str]]) -> str:
    """Every key of a file that the struct `kind` reads; `parts` are the structs within it, by where they stand."""
    rows = []
    for name, _, default, says in attributes(path, kind):
        within = [each for each in parts if each.partition(".")[0].removesuffix("[]") == name]
        if not within or default == "None":
            rows.append([f"`{name}`", _default(default), _null(says) or _KEYS[name]])
        for prefix in within:
            for inner, _, inner_default, inner_says in attributes(*parts[prefix]):
                key = f"{prefix}.{inner}"
                rows.append([f"`{key}`", _default(inner_default), _null(inner_says) or _KEYS[key]])
    return _table(["key", "default", "meaning"], rows)


# --- plans


def plan_file() -> str:
    """Every key of a plan file, from the structs that read it."""
    path, guards = SOURCE / "rollouts" / "planfile.py", SOURCE / "rollouts" / "guards.py"
    parts = {"guards[]": (path, "_GuardText"), "alpha": (guards, "Alpha"), "schedule": (path, "_ScheduleText")}
    return _keys_of(path, "_PlanText", parts)


def plan_steps() -> str:
    """Every step as a plan spells it, with what it does."""
    said = {str(each.__struct_config__.tag): _sentence(each.__doc__) for each in get_args(Step)} | {"ramp": _RAMP}
    if said.keys() != _STEPS.keys():
        raise LookupError("a step was not found in plan.py")
    return _table(["step", "what it does"], [[f"`{spelled}`", said[name]] for name, spelled in _STEPS.items()])


_STEPS: Final = {
    "shadow": "shadow: 100%",
    "set_weight": "set_weight: 5%",
    "ramp": "ramp: {bad_answers: 100}",
    "pause": "pause: 10m",
    "analysis": "analysis",
    "approve": "approve: read the report",
    "assist": "assist",
    "partial": "partial: 2%",
}
_RAMP: Final = (
    "Shares that grow, each with its pause, worked out from the endpoint's pace when the plan is read, so that callers "
    "get about so many bad answers more at most."
)


def plan_strategies() -> str:
    """Every strategy with what it means."""
    said = attributes(SOURCE / "rollouts" / "strategies.py", "Strategy")
    return _table(["strategy", "what it does"], [[f"`{name.lower()}`", says] for name, _, _, says in said])


def plan_metrics() -> str:
    """Every metric that a guard may have, from the rules that plans are held to."""
    said = {name.lower(): says for name, _, _, says in attributes(SOURCE / "rollouts" / "guards.py", "Measure")}
    rows = []
    for metric, rule in RULES.items():
        if rule.tasks:
            margin = "must be stated" if rule.margin is None else f"`{rule.margin.value:g}{rule.margin.unit}`"
            units = " or ".join(f"`1{unit}`" for unit in sorted(rule.units, reverse=True))
            needs, keys = ", ".join(_needs(metric, rule)), ", ".join(_keys_with(metric, rule))
            rows.append([f"`{metric}`", said[metric], margin, units, needs or "-", keys or "-"])
    return _table(["metric", "looks at", "margin by default", "spelled", "needs", "further keys"], rows)


def _needs(metric: Measure, rule: Rule) -> list[str]:
    """What an endpoint or its plan must have for a guard of a metric."""
    needs = ["a shadow"] if rule.paired else []
    if rule.labels:
        needs.append("labels")
    elif metric is Measure.SQL:
        needs.append("labels where its query reads `label`")
    if rule.tasks == {Task.REGRESSION}:
        needs.append("a number to predict")
    elif rule.tasks != set(Task):
        needs.append("classes to predict")
    return needs


def _keys_with(metric: Measure, rule: Rule) -> list[str]:
    """The keys a guard of a metric must have, and those in brackets that it may have, beside ``margin``."""
    keys = {Measure.VALUE: ["`worth`"], Measure.SQL: ["`query`"]}.get(metric, [])
    if rule.capped:
        keys = [*keys, "`cap`"]
    if metric is Measure.VALUE:
        keys = [*keys, "(`column` with `cap`)"]
    return [*keys, "(`by`)"] if rule.by else keys


def plan_relations() -> str:
    """What the query of a guard may read."""
    columns = _constant(SOURCE / "rollouts" / "answers.py", "COLUMNS")
    shown = ", ".join(f"`{each}`" for each in columns)
    return _table(
        ["relation", "one row for", "columns"],
        [
            ["`joined`", "each input and version that answered it, shadows among them", shown],
            [
                "`features`",
                "each input whose features were kept",
                "`input_id`, and `features` with the public fields",
            ],
        ],
    )


# --- the Python API


def call_of_open() -> str:
    """How ``headgate.open`` is called."""
    return _block(_call(_function(SOURCE / "app" / "facade.py", "open_home"), "headgate.open"))


def call_of_connect() -> str:
    """How ``headgate.connect`` is called."""
    return _block(_call(_function(SOURCE / "client.py", "connect"), "headgate.connect"))


def api_of_home() -> str:
    """The methods of what ``headgate.open`` gives."""
    parts = ("facade.py", "Headgate"), ("records.py", "Records")
    return "\n".join(_methods(SOURCE / "app" / file, kind, "hg") for file, kind in parts)


def api_of_keys() -> str:
    """The methods of ``hg.keys``."""
    return _methods(SOURCE / "app" / "keys.py", "Keys", "hg.keys")


def api_of_rollouts() -> str:
    """The methods of ``hg.rollouts``."""
    return _methods(SOURCE / "app" / "rollouts.py", "Rollouts", "hg.rollouts")


def api_of_reviews() -> str:
    """The methods of ``hg.reviews``."""
    return _methods(SOURCE / "app" / "reviews.py", "Reviews", "hg.reviews")


def api_of_monitoring() -> str:
    """The methods of ``hg.monitoring``."""
    return _methods(SOURCE / "app" / "monitoring.py", "Monitoring", "hg.monitoring")


def api_of_retraining() -> str:
    """The methods of ``hg.retraining``."""
    return _methods(SOURCE / "app" / "retraining.py", "Retrainings", "hg.retraining")


def api_of_alerts() -> str:
    """The methods of ``hg.alerts``."""
    return _methods(SOURCE / "app" / "alerts.py", "Alerts", "hg.alerts")


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
        name = f"{shown}.{each.name}"
        is_property = any(ast.unparse(mark) == "property" for mark in each.decorator_list)
        call = f"{name}: {_kind(each.returns)}" if is_property and each.returns else _call(each, name)
        text = _unquoted(ast.get_docstring(each) or "")
        parts.append(f"### `{name}`\n\n{_block(call)}\n\n{text}\n")
    return "\n".join(parts)


def _call(function: ast.FunctionDef, shown: str) -> str:
    """A function's arguments and what it returns, under the name by which it is called."""
    arguments = re.sub(r"(?<=[]\w])=", " = ", ast.unparse(function.args).removeprefix("self").removeprefix(", "))
    arguments = arguments.replace("DEFAULT_PROJECT", repr(str(DEFAULT_PROJECT)))
    returns = f" -> {_kind(function.returns)}" if function.returns else ""
    return f"{shown}({arguments}){returns}"


def _kind(annotation: ast.expr) -> str:
    """A type as it reads, whether or not it is named before it is imported."""
    return ast.unparse(annotation).strip("'")


def _block(code: str) -> str:
    return f"```py\n{code}\n```"


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


def _function(path: Path, name: str) -> ast.FunctionDef:
    tree = ast.parse(path.read_text())
    return next(each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name)


def _constant(path: Path, name: str) -> tuple[str, ...]:
    """The names that a constant lists."""
    for each in ast.parse(path.read_text()).body:
        if isinstance(each, ast.AnnAssign) and ast.unparse(each.target) == name and each.value is not None:
            return tuple(ast.literal_eval(each.value))
    raise LookupError(name)


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
    """A default as a person writes it into a file."""
    if re.fullmatch(r"[0-9_* ]+", text):
        product = 1
        for factor in text.replace("_", "").split("*"):
            product *= int(factor)
        return f"{product:,}" if product >= 100_000 else str(product)
    if found := re.fullmatch(r"([A-Z][A-Za-z]*)\.([A-Z_]+)", text):
        return str(_ENUMS[found[1]][found[2]])
    return _WORDS.get(text, text.strip("'") or '""')


_ENUMS: Final[Mapping[str, type[StrEnum]]] = {
    "Ack": Ack,
    "Live": Live,
    "OnFailure": OnFailure,
    "OnHorizon": OnHorizon,
    "Compared": Compared,
    "Severity": Severity,
    "Promote": Promote,
}
_WORDS: Final = {
    "DEFAULT_PROJECT": str(DEFAULT_PROJECT),
    "RecipeWords()": "{automl: {}}",
    "LimitWords()": "{}",
    "None": "null",
    "False": "false",
    "True": "true",
}


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
    "plan-file": plan_file,
    "plan-steps": plan_steps,
    "plan-strategies": plan_strategies,
    "plan-metrics": plan_metrics,
    "plan-relations": plan_relations,
    "call-of-open": call_of_open,
    "call-of-connect": call_of_connect,
    "api-of-home": api_of_home,
    "api-of-keys": api_of_keys,
    "api-of-rollouts": api_of_rollouts,
    "api-of-reviews": api_of_reviews,
    "api-of-monitoring": api_of_monitoring,
    "api-of-alerts": api_of_alerts,
    "api-of-retraining": api_of_retraining,
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
