"""A subject of a JetStream stream, read from the sequence of the last load to what is there now.

The consumer is ordered and acknowledges nothing: a run that fails reads the same messages again, and the stream has
them still.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headgate.errors import Conflict, MissingExtra, NotFound, Unavailable
from headgate.pipelines.sources.ports import CHUNK_ROWS, Mark, Pull, Take
from headgate.pipelines.sources.records import rows_of

TIMEOUT_S: Final = 30.0
"""Seconds without an answer or a message after which the server does not answer."""


@dataclass(frozen=True, slots=True)
class NatsSource:
    """One subject, wildcards allowed."""

    name: str
    subject: str
    servers: str
    textual: bool = True

    def pull(self, mark: Mark, take: Take) -> Pull:
        """Every message between `mark` and the newest of now, in the stream's order."""
        return asyncio.run(self._pull(_library(), mark, take))

    async def _pull(self, nats: Any, mark: Mark, take: Take) -> Pull:
        try:
            connection = await nats.connect(
                self.servers.split(","),
                connect_timeout=TIMEOUT_S,
                allow_reconnect=False,
                error_cb=_quiet,
                max_reconnect_attempts=1,
                reconnect_time_wait=0.1,
            )
        except (OSError, nats.errors.Error) as error:
            raise Unavailable(f"sources.{self.name}: no NATS server answers: {error}") from error
        try:
            return await self._read(nats, connection.jetstream(), mark, take)
        except nats.js.errors.NotFoundError as error:
            raise NotFound("stream of the subject", self.subject, f"sources.{self.name} reads it") from error
        except (TimeoutError, nats.errors.Error) as error:
            raise Unavailable(f"sources.{self.name}: the NATS server fell silent; try again later") from error
        finally:
            await connection.close()

    async def _read(self, nats: Any, stream: Any, mark: Mark, take: Take) -> Pull:
        name = await stream.find_stream_name_by_subject(self.subject)
        info = await stream.stream_info(name)
        first, last, made = info.state.first_seq, info.state.last_seq, str(info.created)
        known = mark.get("sequence", 0)
        if known > last or made != mark.get("made", made):
            raise Conflict(
                f"sources.{self.name}: the stream '{name}' began anew since it was read last; "
                f"read it anew with --reload {self.name}"
            )
        notes = (
            (f"up to {first - known - 1:,} messages were deleted before they were read",)
            if 0 < known < first - 1
            else ()
        )
        messages: list[bytes] = []
        async for each in self._messages(nats, stream, name, known + 1, last):
            messages.append(each)
            if len(messages) == CHUNK_ROWS:
                _hand_on(messages, take)
        _hand_on(messages, take)
        return Pull({"sequence": last, "made": made}, notes=notes)

    async def _messages(self, nats: Any, stream: Any, name: str, begin: int, last: int) -> Any:
        if begin > last:
            return
        wanted = nats.js.api.ConsumerConfig(
            deliver_policy=nats.js.api.DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=begin
        )
        found = await stream.subscribe(self.subject, stream=name, ordered_consumer=True, config=wanted)
        waiting = (await found.consumer_info()).num_pending or 0
        while waiting or found.pending_msgs:
            message = await found.next_msg(timeout=TIMEOUT_S)
            if message.metadata.sequence.stream > last:
                break
            yield message.data
            waiting = message.metadata.num_pending
        await found.unsubscribe()


def _hand_on(messages: list[bytes], take: Take) -> None:
    tables: Iterator[Any] = rows_of(messages)
    for table in tables:
        take(table)
    messages.clear()


async def _quiet(_error: Exception) -> None:
    """What fails is raised by the call that fails; nobody need be told beside it."""


def _library() -> Any:
    try:
        import nats  # noqa: PLC0415 - an optional library
        import nats.errors  # noqa: PLC0415
        import nats.js.api  # noqa: PLC0415
        import nats.js.errors  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra("reading a NATS stream", "nats") from error
    return nats
