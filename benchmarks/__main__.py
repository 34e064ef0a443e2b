"""`make bench`: every benchmark but the peers' and the monitors': `python -m benchmarks [--quick] [--only NAME]`.

Each runs in a process of its own and leaves ``NAME.json`` and ``NAME.md`` under ``build/bench``; ``bench.json`` and
``bench.md`` gather every promise and what was found. Exit code 1 when one was missed or a benchmark failed. Well over
half an hour on a quiet machine; on a busy one the figures mean little.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Gates = list[dict[str, Any]]

# What the label join and the monthly figures over the full demo journal may take together.
JOIN_LIMIT_S: Final = 2.0
_TIMEOUT_S: Final = 3600


@dataclass(frozen=True)
class Part:
    """One benchmark: its module, its words, and how to read what it prints when it writes no report itself."""

    name: str
    words: Callable[[Path, bool], list[str]]
    read: Callable[[str], tuple[list[dict[str, Any]], Gates]] | None = None
    module: str = ""
    """Where it is in `benchmarks`, if not under its own name."""


def reports_itself(out: Path, quick: bool) -> list[str]:
    """The words of a benchmark that writes its own JSON and Markdown."""
    return ["--out", str(out), *(["--quick"] if quick else [])]


def journal_rows(said: str) -> tuple[list[dict[str, Any]], Gates]:
    """The table of `benchmarks.journal` as rows; nothing is promised of it alone."""
    names = ("ack", "callers", "records_per_s", "ack_p50_us", "ack_p99_us", "write_us_per_record", "records_per_commit")
    cells = [line.split() for line in said.splitlines() if line.startswith(("durable", "buffered"))]
    return [{names[0]: each[0], **dict(zip(names[1:], map(float, each[1:]), strict=True))} for each in cells], []


def join_rows(said: str) -> tuple[list[dict[str, Any]], Gates]:
    """The figures of `benchmarks.join`; its promise is judged together with the windows'."""
    figures = json.loads(said)
    return [{"what": name, "value": value} for name, value in figures.items()], []


def windows_rows(said: str) -> tuple[list[dict[str, Any]], Gates]:
    """The figures of `benchmarks.windows`, each with its limit."""
    rows = [json.loads(line) for line in said.splitlines()]
    gates = [
        {"says": f"{row['what']}, s, at most", "value": row["median_s"], "limit": row["limit_s"], "ok": row["ok"]}
        for row in rows
    ]
    return rows, gates


PARTS: Final = (
    Part("startup", reports_itself),
    Part("size", reports_itself),
    Part("join", lambda _, quick: ["--rounds", "20"] if quick else [], join_rows),
    Part("windows", lambda *_: [], windows_rows),
    Part("evidence", reports_itself),
    # On the disk that is measured, because a temporary folder is often memory.
    Part("journal", lambda out, quick: ["--folder", str(out), "--seconds", "0.5" if quick else "3"], journal_rows),
    Part("serving", reports_itself),
    Part("binary", reports_itself),
    Part("rpc", reports_itself),
    Part("workers", reports_itself),
    Part("overload", reports_itself),
    Part("swap", reports_itself),
    Part("shadow", reports_itself),
    Part("rollback", reports_itself),
    Part("arrow", reports_itself),
    Part("memory", reports_itself),
)


def run(part: Part, out: Path, quick: bool) -> str:
    """Run one benchmark and see to its reports; why it failed, or nothing."""
    for suffix in ("json", "md"):
        (out / f"{part.name}.{suffix}").unlink(missing_ok=True)
    command = [sys.executable, "-m", f"benchmarks.{part.module or part.name}", *part.words(out, quick)]
    printed = subprocess.PIPE if part.read else None
    status, said = _ended(command, printed)
    if status not in (0, 1):
        return f"ended with status {status}"
    if part.read:
        try:
            rows, gates = part.read(said)
        except (ValueError, KeyError) as problem:
            return f"printed what cannot be read: {problem}"
        (out / f"{part.name}.json").write_text(json.dumps({"rows": rows, "gates": gates}, indent=1) + "\n")
        (out / f"{part.name}.md").write_text(_table(rows))
        print(_table(rows))
    if not (out / f"{part.name}.json").exists():
        return f"ended with status {status} and left no report"
    return ""


def gather(out: Path, parts: list[Part]) -> Gates:
    """Every promise of the benchmarks that ran, and the one that spans two of them."""
    gates: Gates = []
    reports = {}
    for part in parts:
        reports[part.name] = json.loads((out / f"{part.name}.json").read_text())
        gates += [{"benchmark": part.name, **each} for each in reports[part.name].get("gates", [])]
        if why := reports[part.name].get("ungated"):
            gates.append(_failed(part.name, why))
    if {"join", "windows"} <= reports.keys():
        join = {row["what"]: row["value"] for row in reports["join"]["rows"]}
        windows = {row["what"]: row["median_s"] for row in reports["windows"]["rows"]}
        joined = max(value for name, value in join.items() if name.endswith("_join_s"))
        value = round(joined + windows["windows of ten months"], 3)
        says = "label join and monthly metrics over the demo's journal, s, at most"
        gates.append({"benchmark": "join", "says": says, "value": value, "limit": JOIN_LIMIT_S})
        gates[-1]["ok"] = value <= JOIN_LIMIT_S
    return gates


def suite(name: str, parts: Sequence[Part], description: str | None) -> int:
    """Run what was chosen of `parts`, gather the promises, say which were missed and how long all of it took."""
    # Ended from outside, the benchmark that runs is ended too, and ends its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short runs, for development")
    parser.add_argument("--only", choices=[each.name for each in parts], action="append", help="this one; repeatable")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    wanted = [each for each in parts if not chosen.only or each.name in chosen.only]
    why = {each.name: _attempted(each, chosen.out, chosen.quick) for each in wanted}
    gates = gather(chosen.out, [each for each in wanted if not why[each.name]])
    gates += [_failed(each, reason) for each, reason in why.items() if reason]
    seconds = round(time.monotonic() - begun)
    whole = {"quick": chosen.quick, "seconds": seconds, "gates": gates}
    (chosen.out / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n")
    text = _table([_shown(each) for each in gates]) + f"\nAll of it took {seconds:,} seconds.\n"
    (chosen.out / f"{name}.md").write_text(text)
    print(text)
    return 0 if all(each["ok"] for each in gates) else 1


def _attempted(part: Part, out: Path, quick: bool) -> str:
    """Why a benchmark failed, or nothing."""
    print(f"== {part.name}", file=sys.stderr, flush=True)
    try:
        return run(part, out, quick)
    except subprocess.TimeoutExpired:
        return f"took longer than {_TIMEOUT_S} s"


def _ended(command: list[str], printed: int | None) -> tuple[int, str]:
    """Exit status and output of a benchmark; asked to stop, not killed, so that it can end its servers."""
    process = subprocess.Popen(command, stdout=printed, text=True)
    try:
        said, _ = process.communicate(timeout=_TIMEOUT_S)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
    return process.returncode, said or ""


def _failed(name: str, why: str) -> dict[str, Any]:
    return {"benchmark": name, "says": f"not measured: {why}", "value": None, "limit": None, "ok": False}


def _shown(gate: dict[str, Any]) -> dict[str, Any]:
    rounded = {name: round(gate[name], 3) if gate[name] is not None else "" for name in ("value", "limit")}
    return {**gate, **rounded, "ok": "ok" if gate["ok"] else "MISSED"}


def _table(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0]) if rows else []
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join([*lines, *("| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows)]) + "\n"


if __name__ == "__main__":
    sys.exit(suite("bench", PARTS, __doc__))
