"""What every test directory shares: a PostgreSQL server from Debian's packages, and a word on what was not run."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Small models on shared cores: more threads would only wait for each other. Read once, when a library is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A program that tests start with `preexec_fn` is forked, and closes gRPC's files before it begins. gRPC's threads,
# which begin anew in a fork unless told otherwise, find them closed now and then, and end the program.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

# How long an example takes says how busy the machine is, not whether the code is right.
# In CI the same examples every time, so that a change is judged by what it changes; fresh ones everywhere else.
settings.register_profile("headgate", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.register_profile(
    "fuzz", deadline=None, max_examples=int(os.environ.get("HEADGATE_FUZZ_EXAMPLES", "20000")), print_blob=True
)
"""For `make fuzz`: many examples, other ones each time."""
settings.load_profile("headgate")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of this test run alone, as a URL without a database name."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
    tools = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="hgpg"))
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if as_postgres:
        shutil.chown(folder, "postgres", "postgres")

    def run(*command: str) -> None:
        # To a file, not a pipe: the server inherits the handles and a pipe would never end.
        with (folder / "tools.log").open("w") as log:
            subprocess.run([*as_postgres, *command], check=True, cwd=folder, stdout=log, stderr=log, timeout=120)

    data, options = str(folder / "data"), f"-k {folder} -c listen_addresses= -c fsync=off"
    try:
        run(str(tools / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--locale=C", "-E", "UTF8")
        run(str(tools / "pg_ctl"), "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql://postgres@/{{}}?host={folder}"
        finally:
            run(str(tools / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database, dropped afterwards."""
    import psycopg

    name = f"t{abs(hash(request.node.nodeid))}"
    with psycopg.connect(postgres_server.format("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield postgres_server.format(name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


_DROP_FROM_BOUNDING_SET = 24
_PASS_OVER_MODES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: what lets root write where a mode says that nobody may."""


@pytest.fixture(scope="session")
def modes_hold() -> Callable[[], None]:
    """For `preexec_fn`: the program it starts may do to files what their modes say, even when root runs the tests."""
    libc = ctypes.CDLL(None, use_errno=True)

    def give_up() -> None:
        if os.geteuid() != 0:
            return
        for each in _PASS_OVER_MODES:
            if libc.prctl(_DROP_FROM_BOUNDING_SET, each, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "root cannot give up passing over modes here; run as another user")

    return give_up


LEFT_OUT = pytest.StashKey[int]()
"""How many tests the chosen marks leave out."""


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is left out yet."""
    config.stash[LEFT_OUT] = 0


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Counts what the marks leave out; pytest-xdist's workers choose for themselves and tell the parent below."""
    if items:
        items[0].config.stash[LEFT_OUT] += len(items)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker is done; each of them left out the same tests."""
    counted = getattr(node, "workeroutput", {}).get("left_out", 0)
    node.config.stash[LEFT_OUT] = max(node.config.stash[LEFT_OUT], counted)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With HEADGATE_FULL set nothing may be skipped: a part that is missing is a failure."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["left_out"] = session.config.stash[LEFT_OUT]
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("HEADGATE_FULL") and exitstatus == 0 and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says in one list what this run left out and how to run it."""
    config = terminalreporter.config
    skipped = Counter(_reason(report) for report in terminalreporter.getreports("skipped"))
    if not skipped and not config.stash[LEFT_OUT]:
        return
    terminalreporter.section("not run")
    if config.stash[LEFT_OUT]:
        chosen = config.getoption("markexpr") or config.getoption("keyword")
        terminalreporter.line(f"{config.stash[LEFT_OUT]} tests outside '{chosen}'")
        terminalreporter.line("tests marked full run in `make test-full`, tests marked slow in `make accept`")
    for reason, count in sorted(skipped.items()):
        terminalreporter.line(f"{count} skipped: {reason}")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    longrepr = report.longrepr
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
