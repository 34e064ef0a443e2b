"""Item 7: the command line and the Python API."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from acceptance.rows import Bench, Measured, Red, Suite, last_object

SUITE = Suite()
VERBS: Final = ["demo", "up", "init", "register", "evaluate", "apply", "predict", "score", "label", "status", "doctor"]
ROWS: Final = 3_000_000
MAKE: Final = """
import numpy as np, pandas as pd, pyarrow as pa, pyarrow.parquet as pq
from skops.io import dump
from sklearn.linear_model import LogisticRegression
r = np.random.default_rng(0)
f = pd.DataFrame(r.normal(size=(500, 4)), columns=list("abcd"))
f["y"] = (f.a > f.b).astype(int)
f.to_parquet("reference.parquet")
dump(LogisticRegression().fit(f[list("abcd")], f.y), "model.skops")
t = pa.table({name: r.normal(size=ROWS) for name in "abcd"})
pq.write_table(t, "large.parquet", row_group_size=100_000)
"""


@SUITE.row("7-verbs", "every verb of this path is there and says what it does", "headgate VERB --help")
def verbs(bench: Bench) -> Measured:
    said = [bench.run(bench.headgate, verb, "--help") for verb in VERBS]
    return Measured(sum("Usage: headgate" in each and len(each) > 150 for each in said), len(VERBS), at_least=True)


SUITE.tests(
    "7-table", "the table of verbs says what the verbs say; mistakes have codes of their own", "tests/cli/test_verbs.py"
)
SUITE.tests(
    "7-python",
    "the Python API walks the same path: register, evaluate, alias, apply, predict, label, windows, training set",
    "tests/app/test_whole_path.py::test_a_model_from_object_to_windows",
)
SUITE.tests(
    "7-lines",
    "the command line walks it too: init, register, evaluate, apply, up, predict, label, status, score, doctor",
    "tests/cli/test_whole_path.py",
)
SUITE.tests(
    "7-score",
    "score answers files of any format row by row, refused rows stay in with field and rule",
    "tests/batch/test_score.py",
)


@SUITE.row(
    "7-score-killed",
    f"headgate score SIGKILLed in the middle of {ROWS:,} rows leaves no output; the same command goes on where it "
    "stopped and the output is complete",
    "headgate score m:1 large.parquet out.parquet",
)
def score_killed(bench: Bench) -> Measured:
    with bench.folder() as folder:
        bench.run(bench.python, "-c", f"ROWS = {ROWS}\n{MAKE}", cwd=folder)
        words = ("register", "m", "model.skops", "--reference", "reference.parquet", "--label", "y", "--home", "h")
        bench.run(bench.headgate, *words, cwd=folder)
        score = (bench.headgate, "score", "m:1", "large.parquet", "out.parquet", "--home", "h", "--json")
        _kill_midway(score, folder)
        if (folder / "out.parquet").exists():
            raise Red("a killed run left an output")
        told = last_object(bench.run(*score, cwd=folder))
        probe = "import pyarrow.parquet as q; t = q.read_table('out.parquet', columns=['prediction', 'a', 'b']); print("
        probe += "t.num_rows, t['prediction'].null_count)"
        count = bench.run(bench.python, "-c", probe, cwd=folder).split()
        left = sorted(each.name for each in folder.iterdir() if each.name.startswith("out.parquet"))
    if count != [str(ROWS), "0"] or left != ["out.parquet"]:
        raise Red(f"the output has {count[0]} rows, {count[1]} without prediction; beside it lie {left}")
    if told["answered"] != ROWS:
        raise Red(f"answered {told['answered']}")
    return Measured(told["resumed_at"], 1, at_least=True)


def _kill_midway(command: tuple[str, ...], folder: Path) -> None:
    """Starts a scoring and kills it once some of its parts are there."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 120
        while len(list((folder / "out.parquet.parts").glob("*.parquet"))) < 2:
            if process.poll() is not None or time.monotonic() > end:
                raise Red("it could not be killed midway")
            time.sleep(0.005)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


SUITE.tests(
    "7-score-bar",
    "score has a progress bar that knows how much there is",
    "tests/cli/test_whole_path.py::test_score_shows_how_far_it_is",
)
SUITE.tests(
    "7-up",
    "up runs gateways, runtime host and controller under one supervisor, starts again what dies, and ends clean",
    "tests/app/test_one_machine.py",
    "tests/supervisor/test_supervisor.py",
)
SUITE.tests(
    "7-up-seals",
    "the controller of up seals and keeps retention",
    "tests/app/test_whole_path.py::test_the_controller_seals_and_forgets",
    "tests/controller/test_decide.py",
)
SUITE.tests(
    "7-doctor",
    "doctor says what is wrong with a home or an install and what to do",
    "tests/cli/test_verbs.py::test_doctor_finds_a_fresh_home_healthy_and_a_newer_one_not",
    "tests/app/test_whole_path.py::test_doctor_names_what_is_wrong_and_what_to_do",
)
