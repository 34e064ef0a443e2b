"""A real MLflow server in an environment of its own, started and ended by the test that asks for it."""

import base64
import os
import subprocess
import time
import urllib.request
from functools import partial
from pathlib import Path
from types import TracebackType

from benchmarks.peers.environment import Environment

from headgate.supervisor.parent import die_with_parent
from headgate.testing.installation import free_ports

PATIENCE = 120.0


class MlflowServer:
    """One server over a folder. Use it as a context; `stop` and `start` may be called in it."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        [self.port] = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        words += ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        words += ["--artifacts-destination", str(self.folder / "artifacts")]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.environment.python, *words],
                cwd=self.folder,
                env=self._variables(),
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - one call of the kernel, no locks
            )
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "server.log").read_text()[-3000:]
            assert time.monotonic() < end, (self.folder / "server.log").read_text()[-3000:]
            time.sleep(0.2)

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None

    def run(self, program: str, *words: str) -> str:
        """What a program says that is run where MLflow is installed."""
        done = subprocess.run(
            [self.environment.python, "-c", program, *words],
            env={**self._variables(), "MLFLOW_TRACKING_URI": self.url},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def __enter__(self) -> "MlflowServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as reply:  # noqa: S310 - our own server
                return bool(reply.status == 200)
        except OSError:
            return False

    def _variables(self) -> dict[str, str]:
        # The first two because the webhook goes to this machine, the key because MLflow keeps secrets encrypted.
        return {
            **self.environment.variables(self.folder),
            "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
            "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
            "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": base64.urlsafe_b64encode(b"k" * 32).decode(),
            "MLFLOW_WEBHOOK_CACHE_TTL": "0",
        }
