"""How long until something happens: `python -m benchmarks.startup [--quick]`.

``headgate --help`` from the prompt to its end, and ``headgate up`` (one gateway per core, as by default) from the
prompt to the first answered prediction of a registered model. Medians of repeats, the first of each thrown away
because it fills the file system's cache. Writes ``startup.json`` and ``startup.md``; exit code 1 above a limit.
"""

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd
from benchmarks.processes import serving
from sklearn.linear_model import LogisticRegression

import headgate
from benchmarks import load, machine, models

LIMITS_S: Final = {"headgate --help": 0.3, "headgate up to its first answer": 3.0}
_COMMAND: Final = str(Path(sys.executable).with_name("headgate"))
_ENDPOINT: Final = "endpoint: e\nmodel: m\n"


def home(folder: Path) -> Path:
    """A home with one registered, evaluated and applied model of 20 numbers."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(2000, models.FIELDS)), columns=list(models.NAMES))
    frame["y"] = frame["f0"] + rng.normal(size=2000) > 0
    model = LogisticRegression().fit(frame[list(models.NAMES)], frame["y"])
    with headgate.open(folder) as hg:
        hg.register("m", model, reference=frame[:1000], label="y", why="a benchmark")
        hg.evaluate("m:1", frame[1000:], gates=["accuracy better than dummy by 0.01"])
        hg.apply(_ENDPOINT, why="a benchmark")
    return folder


def help_s() -> float:
    """Seconds of ``headgate --help``."""
    began = time.perf_counter()
    subprocess.run([_COMMAND, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def first_answer_s(folder: Path) -> float:
    """Seconds from starting ``headgate up`` to the first prediction it answers."""
    port, control, metrics = load.free_port(), load.free_port(), load.free_port()
    words = ["up", "--home", str(folder.resolve()), "--port", str(port), "--control-port", str(control)]
    body = msgspec.json.encode({"rows": [dict.fromkeys(models.NAMES, 0.5)]})
    began = time.perf_counter()
    command = [_COMMAND, *words, "--metrics-port", str(metrics), "--grpc-port", "0"]
    with serving(command, dict(os.environ), folder, port, one_core=False):
        while not _answers(port, body):
            if time.perf_counter() - began > 60:
                raise RuntimeError(f"no answer within 60 s: {(folder / 'server.log').read_text()[-1000:]}")
            time.sleep(0.005)
        return time.perf_counter() - began


def main() -> int:
    """Measure, write both reports, and say by the exit code whether the limits were kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two repeats, for development")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    repeats = 2 if chosen.quick else 7
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=chosen.out) as name:
        seen = machine.facts(Path(name), ("headgate",))
        served = home(Path(name) / "home")
        runs = {
            "headgate --help": [help_s() for _ in range(repeats + 1)][1:],
            "headgate up to its first answer": [first_answer_s(served) for _ in range(repeats + 1)][1:],
        }
    gates: list[dict[str, Any]] = []
    for what, times in runs.items():
        value = round(statistics.median(times), 3)
        gates.append(
            {"says": f"{what}, s, at most", "value": value, "limit": LIMITS_S[what], "ok": value <= LIMITS_S[what]}
        )
    rows = [{"what": what, "seconds": [round(each, 3) for each in times]} for what, times in runs.items()]
    lines = ["| what | median s | all s | limit s | |", "|---|--:|---|--:|---|"]
    for row, gate in zip(rows, gates, strict=True):
        verdict = "ok" if gate["ok"] else "MISSED"
        every = ", ".join(map(str, row["seconds"]))
        lines.append(f"| {row['what']} | {gate['value']} | {every} | {gate['limit']} | {verdict} |")
    (chosen.out / "startup.json").write_text(json.dumps({"machine": seen, "rows": rows, "gates": gates}, indent=1))
    (chosen.out / "startup.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    return 0 if all(each["ok"] for each in gates) else 1


def _answers(port: int, body: bytes) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/v1/endpoints/e/predict", body, {"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
