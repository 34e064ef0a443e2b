"""Prints the size and shape of the source: what `make shape` shows and tests/architecture holds to its budgets."""

import ast
import io
import re
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "headgate"
ADAPTERS = ("pipelines/sources/", "registry/importers/", "runtimes/engines/")
"""Where an optional library may be imported inside a function."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Module:
    """What is counted of one file."""

    name: str
    """Path below the package."""
    lines: int = 0
    comments: int = 0
    docstring_lines: int = 0
    ignores: int = 0
    todos: int = 0
    lazy_imports: list[int] = field(default_factory=list)
    """Lines of imports inside functions."""
    functions: list[tuple[str, int]] = field(default_factory=list)
    """Name and lines."""
    typed: int = 0
    """Functions whose every argument and result is annotated."""
    imports: set[str] = field(default_factory=set)
    """Rooms this file imports."""

    @property
    def room(self) -> str:
        """The first part of the path: a directory, or a file at the top."""
        return self.name.split("/")[0].removesuffix(".py")


def survey(source: Path = SOURCE) -> list[Module]:
    """Every module under `source`, measured."""
    return [measure(path, path.relative_to(source).as_posix()) for path in sorted(source.rglob("*.py"))]


def measure(path: Path, name: str) -> Module:
    """One file, measured."""
    text = path.read_text(encoding="utf-8")
    module = Module(name, lines=len(text.splitlines()))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            module.comments += 1
            module.ignores += "type: ignore" in token.string
            module.todos += bool(re.search(r"\b(TODO|FIXME|XXX|HACK)\b", token.string))
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module.imports.update(_rooms(node))
        if isinstance(node, ast.Module | ast.ClassDef | Function):
            module.docstring_lines += _docstring_lines(node)
        if isinstance(node, Function):
            _count(module, node)
    module.imports.discard(module.room)
    return module


def cycles(modules: list[Module]) -> list[tuple[str, str]]:
    """Pairs of rooms that reach each other."""
    edges: dict[str, set[str]] = {}
    for module in modules:
        edges.setdefault(module.room, set()).update(module.imports)
    reach = {room: _reachable(room, edges) for room in edges}
    return sorted((a, b) for a in reach for b in reach if a < b and b in reach[a] and a in reach[b])


def lazy(modules: list[Module]) -> list[str]:
    """Imports inside functions of files that are no adapters."""
    return [f"{m.name}:{line}" for m in modules if not m.name.startswith(ADAPTERS) for line in m.lazy_imports]


def share(values: list[int], percent: int) -> int:
    """The value that `percent` of the values do not exceed.

    >>> share([1, 2, 3, 4, 100], 50)
    3
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0


def table(modules: list[Module]) -> Iterator[tuple[str, str, str]]:
    """Rows of (what, measured, target)."""
    files = [module.lines for module in modules if module.lines > 5]
    functions = [lines for module in modules for _, lines in module.functions]
    lines = sum(module.lines for module in modules)
    thousands = max(lines, 1) / 1000
    typed = sum(module.typed for module in modules)
    tests = sum(len(p.read_text(encoding="utf-8").splitlines()) for p in (ROOT / "tests").rglob("*.py"))
    yield "rooms", str(len({module.room for module in modules})), ""
    yield "lines", str(lines), ""
    yield "room cycles", str(len(cycles(modules))), "0"
    yield "lazy imports outside adapters", str(len(lazy(modules))), "0"
    yield "file lines: median", f"{statistics.median(files):.0f}", "<= 130"
    yield "file lines: p90", str(share(files, 90)), "<= 300"
    yield "file lines: largest", str(max(files)), "<= 450"
    yield "function lines: median", f"{statistics.median(functions):.0f}", "<= 8"
    yield "function lines: p90", str(share(functions, 90)), "<= 30"
    yield "function lines: largest", str(max(functions)), "<= 70"
    yield "typed functions", f"{100 * typed / len(functions):.1f} %", "100 %"
    yield "type-ignores per 1000 lines", f"{sum(m.ignores for m in modules) / thousands:.2f}", "<= 1"
    yield "comment lines", f"{100 * sum(m.comments for m in modules) / lines:.1f} %", "4-9 %"
    yield "docstring lines", f"{100 * sum(m.docstring_lines for m in modules) / lines:.1f} %", "8-18 %"
    yield "TODO", str(sum(module.todos for module in modules)), "0"
    yield "test lines per source line", f"{tests / lines:.2f}", "1.3-2.0"


def _count(module: Module, node: Function) -> None:
    module.functions.append((node.name, (node.end_lineno or node.lineno) - node.lineno + 1))
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    named = [each for each in arguments if each is not None and each.arg not in ("self", "cls")]
    module.typed += all(each.annotation for each in named) and node.returns is not None
    module.lazy_imports += [each.lineno for each in ast.walk(node) if isinstance(each, ast.Import | ast.ImportFrom)]


def _docstring_lines(node: ast.Module | ast.ClassDef | Function) -> int:
    if ast.get_docstring(node) is None:
        return 0
    return (node.body[0].end_lineno or 0) - node.body[0].lineno + 1


def _rooms(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    names = [each.name for each in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        if name.startswith("headgate."):
            yield name.split(".")[1]
        elif name == "headgate" and isinstance(node, ast.ImportFrom):
            yield from (each.name for each in node.names)


def _reachable(room: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(edges.get(room, ()))
    while waiting:
        if (here := waiting.pop()) not in seen:
            seen.add(here)
            waiting.extend(edges.get(here, ()))
    return seen


def main() -> int:
    """Prints the table and what lies beyond the hard limits."""
    modules = survey()
    for what, measured, target in table(modules):
        print(f"{what:32} {measured:>10}   {target}")
    for module in sorted(modules, key=lambda each: -each.lines)[:5]:
        print(f"  {module.lines:4} lines  {module.name}")
    functions = [(lines, f"{m.name}:{name}") for m in modules for name, lines in m.functions]
    for lines, name in sorted(functions, reverse=True)[:5]:
        print(f"  {lines:4} lines  {name}")
    for pair in cycles(modules):
        print(f"  cycle: {' <-> '.join(pair)}")
    for where in lazy(modules):
        print(f"  lazy import: {where}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
