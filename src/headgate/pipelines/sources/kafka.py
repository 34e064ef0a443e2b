"""A topic of a broker that speaks Kafka's protocol, read from the offsets of the last load to what is there now.

Offsets are the pipeline's own: the broker is told nothing, so that a run that fails reads the same messages again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from headgate.errors import Conflict, MissingExtra, NotFound, Unavailable
from headgate.pipelines.sources.ports import Mark, Pull, Take
from headgate.pipelines.sources.records import rows_of

TIMEOUT_S: Final = 30.0
"""Seconds without an answer or a message after which the broker does not answer."""
_BATCH: Final = 10_000


@dataclass(frozen=True, slots=True)
class KafkaSource:
    """One topic."""

    name: str
    topic: str
    servers: str
    textual: bool = True
    options: dict[str, str] = field(default_factory=dict)
    """Further settings of librdkafka, such as those of TLS and SASL."""

    def pull(self, mark: Mark, take: Take) -> Pull:
        """Every message between `mark` and the newest of now, partition by partition in their order."""
        kafka = _library()
        said = {"bootstrap.servers": self.servers, "group.id": f"headgate-{self.name}", **self.options}
        consumer = kafka.Consumer({**said, "enable.auto.commit": "false", "log_level": "0"})
        try:
            offsets: dict[str, int] = dict(mark.get("offsets", {}))
            notes: list[str] = []
            for partition in self._partitions(kafka, consumer):
                place = kafka.TopicPartition(self.topic, partition)
                low, high = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
                begin = self._begin(offsets.get(str(partition)), low, high, notes)
                for table in rows_of(self._messages(kafka, consumer, partition, begin, high)):
                    take(table)
                offsets[str(partition)] = high
            return Pull({"offsets": offsets}, notes=tuple(notes))
        except kafka.KafkaException as error:
            raise Unavailable(f"sources.{self.name}: the broker does not answer: {error.args[0]}") from error
        finally:
            consumer.close()

    def _partitions(self, kafka: Any, consumer: Any) -> list[int]:
        found = consumer.list_topics(self.topic, timeout=TIMEOUT_S).topics[self.topic]
        if found.error is not None or not found.partitions:
            raise NotFound("topic", self.topic, f"sources.{self.name} reads it; the broker does not know it")
        return sorted(found.partitions)

    def _begin(self, known: int | None, low: int, high: int, notes: list[str]) -> int:
        if known is None:
            return low
        if known > high:
            raise Conflict(
                f"sources.{self.name}: the topic '{self.topic}' began anew since it was read last; "
                f"read it anew with --reload {self.name}"
            )
        if known < low:
            notes.append(f"{low - known:,} messages were deleted before they were read")
        return max(known, low)

    def _messages(self, kafka: Any, consumer: Any, partition: int, begin: int, high: int) -> Iterator[bytes]:
        if begin >= high:
            return
        consumer.assign([kafka.TopicPartition(self.topic, partition, begin)])
        last = begin - 1
        while last < high - 1:
            messages = consumer.consume(min(_BATCH, high - 1 - last), timeout=TIMEOUT_S)
            if not messages:
                # What is left are marks of transactions, which are no messages, or the broker fell silent.
                if self._at_end(kafka, consumer, partition, high):
                    break
                raise Unavailable(f"sources.{self.name}: the broker fell silent; try again later")
            for each in messages:
                if each.error() is not None:
                    raise Unavailable(f"sources.{self.name}: the broker fails: {each.error()}")
                if each.offset() < high:
                    yield each.value() or b""
                last = max(last, each.offset())
        consumer.unassign()

    def _at_end(self, kafka: Any, consumer: Any, partition: int, high: int) -> bool:
        [place] = consumer.position([kafka.TopicPartition(self.topic, partition)])
        return bool(place.offset >= high)


def _library() -> Any:
    try:
        import confluent_kafka  # noqa: PLC0415 - an optional library
    except ModuleNotFoundError as error:
        raise MissingExtra("reading a Kafka topic", "kafka") from error
    return confluent_kafka
