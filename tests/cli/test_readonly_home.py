"""A home this user may not write: everything that looks works, everything that changes it says what to do."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from headgate.testing.installation import Installation

ONLOOKER = """
import contextlib, io, json, sys
import headgate
from headgate.cli import main as command_line
from headgate.errors import BadConfiguration

def seen(home):
    with headgate.open(home) as hg:
        [window] = hg.windows("late", every="week")
        print([window.answered, window.labelled, hg.versions()[0].ref, hg.counts("late").inputs])
        try:
            hg.alias("linear:1", "other")
        except BadConfiguration as error:
            print(error)

for line in sys.stdin:
    words, out, err, code = json.loads(line), io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            sys.argv = ["headgate", *words]
            seen(words[1]) if words[0] == "seen" else command_line.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""
"""One process for all verbs: importing the platform takes seconds on a busy machine."""


class Onlooker:
    """Runs verbs as a user who may do what modes say; `folder` is his own."""

    def __init__(self, folder: Path, modes_hold: Callable[[], None]) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.folder = folder
        self.process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, "-c", ONLOOKER],
            preexec_fn=modes_hold,  # noqa: PLW1509 - two calls of the kernel, no locks
            cwd=folder,
            **pipes,
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        """How a verb ended and what it printed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        code, out, err = json.loads(self.process.stdout.readline())
        return code, out, err

    def said(self, *words: str) -> str:
        """What a verb printed; the test fails when it fails."""
        code, out, err = self.run(*words)
        assert (code, err) == (0, ""), f"{words}: {err}{out}"
        return out


@pytest.fixture(scope="module")
def onlooker(tmp_path_factory: pytest.TempPathFactory, modes_hold: Callable[[], None]) -> Iterator[Onlooker]:
    made = Onlooker(tmp_path_factory.mktemp("onlooker"), modes_hold)
    yield made
    made.process.communicate(timeout=60)
    assert made.process.returncode == 0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A home with a served version, two remembered predictions and a label; its modes let nobody write."""
    root = tmp_path_factory.mktemp("protected") / "home"
    with Installation(root, seal_interval=0.2) as installation:
        installation.serve("late", {installation.linear(): 1.0})
        with installation.open() as hg:
            hg.alias("linear:1", "champion")
        installation.start()
        rows = b'{"rows": [{"f0": 1.0, "f1": 2.0}, {"f0": 2.0, "f1": 1.0}]}'
        status, body = installation.post("/v1/endpoints/late/predict", rows)
        assert status == 200, body
        label = {"labels": [{"id": json.loads(body)["predictions"][0]["id"], "label": 1}]}
        assert installation.post("/v1/endpoints/late/labels", json.dumps(label).encode())[0] == 200
        assert installation.stop() == 0
    modes = {each: each.stat().st_mode for each in (root, *root.rglob("*"))}
    for each, mode in modes.items():
        each.chmod(mode & ~0o222)
    yield str(root)
    assert modes.keys() == {root, *root.rglob("*")}, "looking made nothing and removed nothing"
    for each, mode in modes.items():
        each.chmod(mode)


def test_what_an_endpoint_did_can_be_seen(home: str, onlooker: Onlooker) -> None:
    assert onlooker.said("status", "--home", home) == "late\n"
    assert "linear:1" in onlooker.said("status", "late", "--home", home)
    told = json.loads(onlooker.said("status", "late", "--every", "week", "--json", "--home", home))
    assert [(each["answered"], each["labelled"]) for each in told["windows"]] == [(2, 1)]
    assert onlooker.said("alias", "linear", "--home", home) == "linear@champion  version 1\n"


def test_the_doctor_examines_it_and_says_that_it_only_looks(home: str, onlooker: Onlooker) -> None:
    told = json.loads(onlooker.said("doctor", "--json", "--home", home))
    assert told["healthy"]
    [note] = [each for each in told["findings"] if "not written here" in each["what"]]
    assert (note["health"], "as its owner" in note["advice"]) == ("note", True)
    found = " ".join(each["what"] for each in told["findings"])
    for each in ("linear:1 is whole", "endpoint late: linear:1", "journal of late: 2 inputs", "GB are free"):
        assert each in found
    assert "to sync" not in found


def test_python_sees_windows_and_is_refused_changes(home: str, onlooker: Onlooker) -> None:
    assert onlooker.said("seen", home).splitlines() == [
        "[2, 1, 'linear:1', 2]",
        f"home: {home} cannot be written by this user; run as its owner, or use another home",
    ]


def test_a_draft_and_scores_are_written_elsewhere(home: str, onlooker: Onlooker) -> None:
    pd.DataFrame({"f0": [1.0, 2.0], "f1": [1.0, 2.0]}).to_parquet(onlooker.folder / "rows.parquet")
    words = ("rows.parquet", "--endpoint", "e", "--model", "linear", "--home", home)
    assert "wrote endpoint.yaml" in onlooker.said("init", *words)
    told = json.loads(onlooker.said("score", "linear", "rows.parquet", "out.csv", "--json", "--home", home))
    assert told["answered"] == 2


def test_without_the_secret_one_can_still_look(home: str, onlooker: Onlooker) -> None:
    secret = Path(home, "secret")
    mode = secret.stat().st_mode
    secret.chmod(0)
    try:
        assert "linear:1" in onlooker.said("status", "late", "--home", home)
    finally:
        secret.chmod(mode)


@pytest.mark.parametrize(
    "words",
    [
        ("register", "m", "model.skops", "--reference", "rows.parquet"),
        ("evaluate", "linear", "rows.parquet"),
        ("alias", "linear:1", "other"),
        ("apply", "endpoint.yaml"),
        ("up",),
        ("gateway",),
        ("controller",),
    ],
    ids=lambda words: str(words[0]),
)
def test_what_would_change_it_says_what_to_do(home: str, onlooker: Onlooker, words: tuple[str, ...]) -> None:
    (onlooker.folder / "endpoint.yaml").write_text("endpoint: late\nmodel: linear\n")
    assert onlooker.run(*words, "--home", home) == (
        9,
        "",
        f"headgate: home: {home} cannot be written by this user; run as its owner, or use another home\n",
    )


def test_a_folder_that_is_no_home_and_cannot_become_one(onlooker: Onlooker) -> None:
    (onlooker.folder / "bare").mkdir(mode=0o555)
    for verb in ("status", "up"):
        code, _, err = onlooker.run(verb, "--home", "bare")
        assert (code, "cannot be written by this user" in err) == (9, True)
    (onlooker.folder / "closed").mkdir(mode=0o444)
    code, out, _ = onlooker.run("doctor", "--home", "closed")
    assert (code, "cannot be read by this user" in out) == (6, True)
    (onlooker.folder / "closed").chmod(0o755)
