"""What every test directory shares: a PostgreSQL server from Debian's packages, and a word on what was not run."""

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says in one list what this run left out and how to run it."""
    skipped = terminalreporter.getreports("skipped")
    left_out = Counter(_reason(report) for report in skipped)
    deselected = len(terminalreporter.stats.get("deselected", []))
    if not left_out and not deselected:
        return
    terminalreporter.section("not run")
    if deselected:
        chosen = terminalreporter.config.getoption("markexpr") or terminalreporter.config.getoption("keyword")
        terminalreporter.line(
            f"{deselected} tests outside '{chosen}': full ones by `make test-full`, slow by `make accept`"
        )
    for reason, count in sorted(left_out.items()):
        terminalreporter.line(f"{count} skipped: {reason}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With HEADGATE_FULL set nothing may be skipped: a part that is missing is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("HEADGATE_FULL") and exitstatus == 0 and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    longrepr = report.longrepr
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
