"""Where an installation keeps its things, and the few numbers its operator may set."""

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STORE_VARIABLE: Final = "HEADGATE_STORE"
"""Where the environment names the database. It may hold a password, so no command line carries it."""
KEY_VARIABLE: Final = "HEADGATE_KEY"
"""Where the environment holds the key or token of who calls a running gateway."""
HOME_FORMAT: Final = 1
"""The layout of a home directory; a larger number on disk means a newer Headgate wrote it."""


@dataclass(frozen=True, slots=True)
class Home:
    """The directories and files of one installation.

    >>> Home(Path("/srv/headgate")).journal
    PosixPath('/srv/headgate/journal')
    """

    root: Path

    @property
    def mark(self) -> Path:
        """``home.json``: the layout number and when the home was made."""
        return self.root / "home.json"

    @property
    def secret(self) -> Path:
        """32 random bytes, readable by the owner alone: identifiers and subjects are keyed by it."""
        return self.root / "secret"

    @property
    def database(self) -> Path:
        """The SQLite store."""
        return self.root / "store.sqlite"

    @property
    def keys(self) -> Path:
        """Who may call: ``keys.json``, keys as gateways know them; ``oidc.yaml`` and ``jwks.json``, for tokens."""
        return self.root / "keys"

    @property
    def channels(self) -> Path:
        """``channels.yaml``: the ways in which people are told of alerts, as an operator wrote them."""
        return self.root / "channels.yaml"

    @property
    def packages(self) -> Path:
        """One directory per package, named by the hexadecimal part of its digest."""
        return self.root / "packages"

    @property
    def detectors(self) -> Path:
        """``{name}.json``: what rows are held against where outliers are flagged or refused."""
        return self.root / "detectors"

    @property
    def runs(self) -> Path:
        """One directory per run of a recipe, ``{project}.{endpoint}.{number}``."""
        return self.root / "runs"

    @property
    def recipes(self) -> Path:
        """``{project}/{endpoint}/``: the files that the endpoint's recipe names, as they were when it was applied."""
        return self.root / "recipes"

    @property
    def traffic(self) -> Path:
        """``{project}/{endpoint}.json``: what gateways obey."""
        return self.root / "traffic"

    @property
    def journal(self) -> Path:
        """``{stream}/{sequence}.seg``: what gateways acknowledged."""
        return self.root / "journal"

    @property
    def blobs(self) -> Path:
        """Large values by content address; those no record names any more wait there, set aside, to be removed."""
        return self.root / "blobs"

    @property
    def lake(self) -> Path:
        """``{project}/{endpoint}/{table}``: Delta tables."""
        return self.root / "lake"

    @property
    def datasets(self) -> Path:
        """One directory per training set, named by the hexadecimal part of its digest."""
        return self.root / "datasets"

    @property
    def metrics(self) -> Path:
        """One slab of counters per worker process."""
        return self.root / "metrics"

    @property
    def run(self) -> Path:
        """Sockets, process ids, worker reports: nothing here outlives the processes."""
        return self.root / "run"

    @property
    def closed(self) -> Path:
        """Endpoints taken out of service by `unload`, an empty file each, until `load` or the next `headgate up`."""
        return self.run / "closed"

    @property
    def notes(self) -> Path:
        """What gateways did on somebody's word, a file each, until the controller notes it."""
        return self.run / "notes"

    @property
    def deaths(self) -> Path:
        """Processes that ended by themselves, a file each, until the controller notes them."""
        return self.run / "deaths"

    @property
    def replay_clock(self) -> Path:
        """The moment of event time a replay is at."""
        return self.run / "replay.clock"

    @property
    def stillness(self) -> Path:
        """Whether a replay's gateways have come to rest: the question, and each worker's answer."""
        return self.run / "stillness"


def default_home() -> Path:
    """``$HEADGATE_HOME``, or ``.headgate`` in the working directory when it is not set or empty."""
    return Path(os.environ.get("HEADGATE_HOME") or ".headgate")


def default_store() -> str | None:
    """``$HEADGATE_STORE``; None, when it is not set or empty, means the home's own SQLite file."""
    return os.environ.get(STORE_VARIABLE) or None


def default_key() -> str | None:
    """``$HEADGATE_KEY``: what the command line shows to gateways that ask who calls; no flag carries a secret."""
    return os.environ.get(KEY_VARIABLE) or None


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``headgate up`` runs with."""

    home: Home
    host: str = "127.0.0.1"
    port: int = 8080
    """Predictions and labels."""
    grpc_port: int = 8081
    """Predictions over gRPC, where the extra `grpc` is installed; 0 switches it off."""
    control_port: int = 8090
    """Control API."""
    metrics_port: int = 8082
    """``/metrics``, apart from the callers' port so that scraping needs no caller's key."""
    workers: int = 0
    """Gateway processes; 0 means one per usable core."""
    insecure: bool = False
    """Whether other machines may reach the ports although nobody is asked who they are."""
    tls_cert: Path | None = None
    """Certificate chain in PEM for the callers', gRPC's and the control port; None means they do not speak TLS."""
    tls_key: Path | None = None
    """Private key in PEM; None means it stands in the file of the certificate."""
    tls_client_ca: Path | None = None
    """Authorities in PEM of which every caller must show a certificate; None asks for none."""
    replay: bool = False
    """Whether callers may state event times (``at``) and move the clock."""
    commit_interval: float = 0.01
    """Seconds for which records that nobody waits for gather before a commit; all others are committed at once."""
    segment_bytes: int = 64 * 1024 * 1024
    """Size at which a segment is closed and a new one begun."""
    seal_interval: float = 10.0
    """Seconds between two sealings of closed segments."""
    body_limit: int = 16 * 1024 * 1024
    """Largest request body in bytes."""
    queue_rows: int = 16384
    """Rows that may wait in one gateway before callers are told to come back."""
    health_route: str | None = None
    """Further path that answers as `/ping` does, where a platform chooses it; None means none."""
    predict_route: str | None = None
    """Further path for Vertex AI's `instances`, where a platform chooses it; None means none."""

    @property
    def is_exposed(self) -> bool:
        """Whether other machines can reach the ports.

        >>> Settings(Home(Path("h"))).is_exposed, Settings(Home(Path("h")), host="0.0.0.0").is_exposed
        (False, True)
        """
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"

    @property
    def scheme(self) -> str:
        """``https`` where there is a certificate."""
        return "http" if self.tls_cert is None else "https"

    def worker_count(self) -> int:
        """Gateway processes to start: at least one."""
        return self.workers or max(1, len(os.sched_getaffinity(0)))
