"""wrk on one core against a server on the other, with the processor time both took."""

import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SERVER_BUSY: Final = 0.95
GENERATOR_IDLE: Final = 0.80
_TICK: Final = os.sysconf("SC_CLK_TCK")
_PATIENCE: Final = "10s"
"""How long wrk waits for an answer: a slow server is slow, and only one that does not answer is in error."""
_SCRIPT: Final = """
wrk.method = "POST"
HEADERS
wrk.body = io.open("BODY"):read("*a")
done = function(summary, latency, requests)
  io.write(string.format('\\nRESULT {"requests":%%d,"seconds":%%f,"errors":%%d,"p50":%%f,"p99":%%f}\\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
    + summary.errors.timeout, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
""".replace("%%", "%")


@dataclass(frozen=True)
class Row:
    """One run: requests per second, latencies in ms, processor shares 0 to 1."""

    rate: float
    p50_ms: float
    p99_ms: float
    errors: int
    server_share: float
    generator_share: float

    @property
    def limit(self) -> str:
        """``server`` when the figure is the server's own, else what stood in its way."""
        if self.generator_share > GENERATOR_IDLE:
            return "generator"
        return "server" if self.server_share >= SERVER_BUSY else "waiting"


@dataclass(frozen=True)
class Target:
    """What is asked of a server."""

    port: int
    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    """What is sent with every request."""


def wrk_path() -> str | None:
    """Where wrk is, if it is."""
    return shutil.which("wrk")


@contextmanager
def server(command: list[str], target: Target, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`command` running on the first core until the block ends, after it answered once."""
    pinned = pinned_to(_cores()[0], command)
    with log.open("ab") as out:
        process = subprocess.Popen(pinned, stdout=out, stderr=out)
    try:
        wait(process, target, log)
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, asleep or not, and see that it does."""
    process.send_signal(signal.SIGTERM)
    wake(process)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def sleep(process: subprocess.Popen[bytes]) -> None:
    """Stop a server where it stands, so that it takes nothing from the one that is measured."""
    process.send_signal(signal.SIGSTOP)


def wake(process: subprocess.Popen[bytes]) -> None:
    """Let it go on."""
    process.send_signal(signal.SIGCONT)


def measure(process: subprocess.Popen[bytes], target: Target, connections: int, seconds: float) -> Row:
    """One run of wrk on the last core, against a server of one process."""
    return measure_all([process.pid], target, connections, seconds)


def measure_all(pids: Sequence[int], target: Target, connections: int, seconds: float) -> Row:
    """One run of wrk on the last core; the server's share is the sum of these processes'."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "body").write_bytes(target.body)
        script = Path(folder) / "post.lua"
        headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in target.headers)
        script.write_text(_SCRIPT.replace("HEADERS", headers).replace("BODY", str(Path(folder) / "body")))
        command = [wrk_path() or "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
        command += ["--timeout", _PATIENCE]
        before, began = sum(map(busy, pids)), time.perf_counter()
        generator = subprocess.Popen(
            pinned_to(_cores()[-1], [*command, f"http://127.0.0.1:{target.port}{target.path}"]),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert generator.stdout is not None
        try:
            output = generator.stdout.read().decode()
            _, status, usage = os.wait4(generator.pid, 0)
        except BaseException:
            generator.kill()
            generator.wait()
            raise
        generator.returncode = os.waitstatus_to_exitcode(status)
        elapsed = time.perf_counter() - began
    line = next((each for each in output.splitlines() if each.startswith("RESULT ")), None)
    if line is None:
        raise RuntimeError(f"wrk said: {output}")
    found = json.loads(line.removeprefix("RESULT "))
    return Row(
        found["requests"] / found["seconds"],
        found["p50"],
        found["p99"],
        found["errors"],
        (sum(map(busy, pids)) - before) / elapsed,
        (usage.ru_utime + usage.ru_stime) / elapsed,
    )


def together(rows: Sequence[Row]) -> Row:
    """What several wrks saw at the same time, as one run: the median of their medians, the worst p99.

    >>> together([Row(10.0, 1.0, 3.0, 0, 0.5, 0.1), Row(20.0, 2.0, 2.0, 1, 0.5, 0.1)])
    Row(rate=30.0, p50_ms=1.5, p99_ms=3.0, errors=1, server_share=1.0, generator_share=0.2)
    """
    return Row(
        sum(each.rate for each in rows),
        statistics.median(each.p50_ms for each in rows),
        max(each.p99_ms for each in rows),
        sum(each.errors for each in rows),
        sum(each.server_share for each in rows),
        sum(each.generator_share for each in rows),
    )


def pinned_to(core: int, command: list[str]) -> list[str]:
    """`command` for that core alone, where the machine has ``taskset``; else as it is."""
    return ["taskset", "-c", str(core), *command] if shutil.which("taskset") else command


def python(script: str, *arguments: object) -> list[str]:
    """The command line of a script beside this file."""
    return [sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def resident_kb(pid: int) -> int:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def busy(pid: int) -> float:
    """Seconds of processor time a process took so far."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    fields = stat[stat.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def wait(process: subprocess.Popen[bytes], target: Target, log: Path) -> None:
    """Until the server answers. Raises RuntimeError with its log when it ends or takes a minute."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in target.headers)
    request = b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n%b" % (
        target.path.encode(), headers.encode(), len(target.body), target.body,
    )  # fmt: skip
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", target.port), timeout=2) as connection:
                connection.sendall(request)
                if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"no answer from {process.args!r}: {log.read_text()[-2000:]}")
