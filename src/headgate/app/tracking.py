"""The tracking server of a home: models opened from it, and what it is told."""

import contextlib
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from headgate.alerts.couriers.hidden import reveal
from headgate.app.artefacts import artefacts_of
from headgate.app.told import text_of
from headgate.errors import BadConfiguration, HeadgateError, NotFound
from headgate.registry.packages import PackageStore
from headgate.registry.ports import EventLog
from headgate.settings import Home
from headgate.store.atomic import write_file
from headgate.tracking.entries import Entry
from headgate.tracking.exchange import Exchange
from headgate.tracking.following import Reached
from headgate.tracking.models import PREFIX, fetch, find, read_uri
from headgate.tracking.outbox import Outbox, Waiting
from headgate.tracking.sending import send
from headgate.tracking.trackingfile import Tracking, load_tracking
from headgate.tracking.webhook import EVENTS, Heard, heard
from headgate.vocabulary import Micros

HEARD: Final = "heard.json"
"""The file that says what a webhook said last: when it is another one, aliases are looked at now."""


class TrackingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a home stands with its tracking server."""

    url: str
    reached: bool
    said: str
    """Why it cannot be reached; empty where it can."""
    waiting: tuple[Waiting, ...]
    """What it was not told yet, or will not have."""
    followed: dict[str, Reached]
    """By endpoint."""
    heard: Heard | None = None
    """What a webhook said last."""


@dataclass(frozen=True, slots=True)
class TrackingServer:
    """What a home knows of its tracking server, and does with it."""

    home: Home
    events: EventLog

    def said(self) -> Tracking | None:
        """``tracking.yaml``; None where there is none. Raises BadConfiguration naming the key that is wrong."""
        path = self.home.tracking_file
        return load_tracking(text_of(path), str(path)) if path.exists() else None

    def wanted(self) -> bool:
        """Whether there is one to tell."""
        return self.home.tracking_file.exists()

    def exchange(self) -> Exchange:
        """Whom to ask. Raises BadConfiguration where there is no ``tracking.yaml``."""
        said = self._known()
        return Exchange(said.url, lambda: _authorization(said))

    @contextlib.contextmanager
    def opened(self, model: Any) -> Iterator[tuple[Any, str | None]]:
        """`model` as the registry opens it, and what its lineage says of where it came from.

        What a ``models:/`` address speaks of is a file for as long as the context lasts; everything else is itself.
        """
        if not isinstance(model, str) or not model.startswith(PREFIX):
            yield model, None
            return
        server = self.exchange()
        found = find(server, read_uri(model))
        with tempfile.TemporaryDirectory(prefix="headgate-tracking-") as folder:
            yield fetch(server, found, Path(folder)), found.code

    @property
    def outbox(self) -> Outbox:
        """What it was not told yet."""
        return Outbox(self.home.tracking / "outbox")

    def send(self, entry: Entry) -> None:
        """Tell it one entry now. Raises what the exchange raises."""
        packages = PackageStore(self.home.packages)
        send(self.exchange(), entry, lambda model: artefacts_of(packages, model))

    def send_all(self) -> None:
        """Tell it now what waits, in order, also what it refused before. Raises what stopped it first."""
        outbox = self.outbox
        for each in list(outbox.waiting()):
            self.send(each.entry)
            outbox.taken(each.entry.id)

    def listen(self, url: str) -> str:
        """Have it tell `url` of aliases that are moved, signed as ``webhook:`` in tracking.yaml says; the webhook's id.

        Raises BadConfiguration where no secret is named, and what the exchange raises.
        """
        said = self._known()
        if said.webhook is None:
            raise BadConfiguration(str(self.home.tracking_file), "say webhook: and where the secret is")
        events = [{"entity": entity, "action": action} for entity, action in EVENTS]
        asked = {"name": "headgate", "url": url, "events": events, "secret": reveal(said.webhook), "status": "ACTIVE"}
        return str(self.exchange().post("webhooks", asked)["webhook"]["webhook_id"])

    def hear(self, headers: Mapping[str, str], body: bytes, now: Micros) -> Heard:
        """Take a webhook of the server's: aliases are looked at within a moment. Raises Unauthenticated or BadInput."""
        said = self._known()
        if said.webhook is None:
            raise NotFound("webhook of", "a tracking server", "say webhook: in tracking.yaml with what they are signed")
        told = heard(reveal(said.webhook), headers, body, now)
        self.home.tracking.mkdir(exist_ok=True)
        write_file(self.home.tracking / HEARD, msgspec.json.encode(told), durable=False)
        return told

    def last_heard(self) -> Heard | None:
        """What a webhook said last; None where none ever came."""
        try:
            return msgspec.json.decode((self.home.tracking / HEARD).read_bytes(), type=Heard)
        except FileNotFoundError:
            return None

    def reached(self) -> dict[str, Reached]:
        """How far each endpoint that follows an alias has come, by endpoint."""
        folder = self.home.tracking / "followed"
        paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
        return {path.stem: msgspec.json.decode(path.read_bytes(), type=Reached) for path in paths}

    def status(self) -> TrackingStatus:
        """How it stands; asks the server. Raises BadConfiguration where there is no ``tracking.yaml``."""
        server, said = self.exchange(), ""
        try:
            server.get("experiments/get-by-name", experiment_name=self._known().experiment)
        except NotFound:
            pass  # it answers, and has no such experiment yet
        except HeadgateError as error:
            said = str(error)
        waiting = tuple(self.outbox.waiting())
        return TrackingStatus(
            url=server.url,
            reached=not said,
            said=said,
            waiting=waiting,
            followed=self.reached(),
            heard=self.last_heard(),
        )

    def _known(self) -> Tracking:
        said = self.said()
        if said is None:
            path = self.home.tracking_file
            raise BadConfiguration(
                str(path), "is not there; write url: and the address of your tracking server into it"
            )
        return said


def _authorization(said: Tracking) -> str | None:
    if said.token is not None:
        return f"Bearer {reveal(said.token)}"
    if said.user is not None and said.password is not None:
        return f"Basic {b64encode(f'{said.user}:{reveal(said.password)}'.encode()).decode()}"
    return None
