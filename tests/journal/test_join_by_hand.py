"""The journal's join beside the same join in plain Python: other words for the same promise must give the same rows."""

import random
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.journal.identifiers import format_id
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Refusal, Schema
from headgate.journal.sealer import Sealer
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import Micros

HOUR = 3_600_000_000
DAY = 24 * HOUR
SCHEMA = Schema("default", "e", "sha256:0", (), "regression", "number")
ROLES = ("live", "canary")


@dataclass
class Story:
    """Everything that was written, in no order."""

    inputs: list[Input] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


def number(at: int) -> bytes:
    return at.to_bytes(16, "big")


moments = st.integers(0, 5 * 24).map(lambda hours: hours * HOUR)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Few names for many records, so that they meet: retries, entities asked twice, revisions, strangers."""
    story = Story()
    for at in range(draw(st.integers(0, 8))):
        entity, refused = draw(st.sampled_from([None, "ada", "bob"])), draw(st.integers(0, 4)) == 0
        story.inputs.append(
            Input(
                number(at),
                draw(moments),
                None,
                draw(st.sampled_from(["r1", "r2", "r3", ""])),
                draw(st.integers(0, 1)),
                entity,
                refusal=Refusal("f", "type", "expected") if refused else None,
            )
        )
        for role in draw(st.sets(st.sampled_from(["live", "canary", "shadow", "pinned"]), max_size=3)):
            story.answers.append(Answer(number(at), f"m:{role}", f"m:{role}", role, 1.0, float(at), None, 1, 1))
    for at in range(draw(st.integers(0, 8))):
        observed = draw(moments)
        label = Label(number(100 + at), observed + draw(st.integers(0, 2)) * HOUR, observed, float(at))
        match draw(st.integers(0, 3)):
            case 0:
                label.input_id = number(draw(st.integers(0, 9)))
            case 1:
                label.request_id, label.row = draw(st.sampled_from(["r1", "r2", "r9"])), draw(st.integers(0, 1))
            case _:
                label.entity, label.entity_at = draw(st.sampled_from(["ada", "bob", "eve"])), draw(moments)
        story.labels += [label] * draw(st.integers(1, 2))
    return story


@dataclass
class ByHand:
    """The promises of ``queries.sql`` in Python, over what a reader may see."""

    story: Story
    start: int | None
    end: int | None
    as_of: int | None

    def __post_init__(self) -> None:
        first = -1 if self.start is None else self.start // DAY - 1
        inputs = [each for each in self.story.inputs if each.at // DAY >= first]
        self.first_of: dict[bytes, bytes] = {}
        by_request: dict[tuple[str, int], list[Input]] = {}
        for each in inputs:
            by_request.setdefault((each.request_id, each.row), []).append(each)
        for (request_id, _), group in by_request.items():
            if request_id:
                standing = min(group, key=lambda each: (each.at, each.id))
                self.first_of |= {each.id: standing.id for each in group if each is not standing}
        self.kept = [each for each in inputs if each.id not in self.first_of]
        self.truths = self._truths()

    def _meant(self, label: Label) -> bytes | None:
        """The input a label speaks of."""
        if label.input_id is not None:
            return self.first_of.get(label.input_id, label.input_id)
        if label.request_id is not None:
            found = [each.id for each in self.kept if (each.request_id, each.row) == (label.request_id, label.row)]
            return found[0] if found else None
        assert label.entity_at is not None
        before = [each for each in self.kept if each.entity == label.entity and each.at <= label.entity_at]
        return max(before, key=lambda each: (each.at, each.id)).id if before else None

    @property
    def known(self) -> list[Label]:
        """Labels observed and received by then."""
        if self.as_of is None:
            return self.story.labels
        return [each for each in self.story.labels if max(each.received_at, each.observed_at) <= self.as_of]

    def _truths(self) -> dict[bytes, Label]:
        found: dict[bytes, Label] = {}
        for label in self.known:
            meant = self._meant(label)
            if meant is not None:
                known = found.get(meant)
                if known is None or (label.observed_at, label.id) > (known.observed_at, known.id):
                    found[meant] = label
        return found

    def joined(self) -> list[tuple[Any, ...]]:
        """(input, answered, role, label, refused) of every row, sorted."""
        rows: list[tuple[Any, ...]] = []
        for each in self.kept:
            if not (self.start is None or each.at >= self.start) or not (self.end is None or each.at < self.end):
                continue
            truth = self.truths.get(each.id)
            answers = [answer for answer in self.story.answers if answer.input_id == each.id]
            said: list[tuple[Any, ...]] = [(answer.answered, answer.role) for answer in answers if answer.role in ROLES]
            for answered, role in said or ([(None, None)] if not answers else []):
                value = None if truth is None else truth.value
                rows.append((format_id(each.id), answered, role, value, each.refusal is not None))
        return sorted(rows, key=repr)

    def counts(self) -> dict[str, int]:
        ids = {each.id for each in self.kept}
        labels = {each.id: each for each in self.known}
        return {
            "inputs": len(self.kept),
            "refused": sum(each.refusal is not None for each in self.kept),
            "answered": len(ids & {each.input_id for each in self.story.answers}),
            "repeated": len(self.first_of),
            "answers": len(self.story.answers),
            "labels": len(labels),
            "labelled": len(ids & self.truths.keys()),
            "unmatched": sum(self._meant(each) not in ids for each in labels.values()),
        }


def written(story: Story, source: MemorySegments, rng: random.Random) -> None:
    """The story in any order over three streams; an answer may come apart from its input."""
    records: list[Any] = [*story.inputs, *story.answers, *story.labels]
    rng.shuffle(records)
    sequences = {"a-0": 1, "b-0": 1, "c-0": 1}
    while records:
        some, records = records[:5], records[5:]
        block = Block(
            [each for each in some if isinstance(each, Input)],
            [each for each in some if isinstance(each, Answer)],
            [each for each in some if isinstance(each, Label)],
        )
        stream = rng.choice(list(sequences))
        source.write(stream, sequences[stream], [(SCHEMA, block)])
        sequences[stream] += 1


def read(joined: Any) -> list[tuple[Any, ...]]:
    rows = joined.select(["input_id", "answered", "role", "label", "refusal_rule"]).to_pylist()
    return sorted(((*list(each.values())[:4], each["refusal_rule"] is not None) for each in rows), key=repr)


bounds = st.none() | moments


@settings(max_examples=15)
@given(story=stories(), window=st.tuples(bounds, bounds), as_of=bounds, rng=st.randoms(use_true_random=False))
def test_the_join_says_what_one_by_hand_says(
    story: Story, window: tuple[int | None, int | None], as_of: int | None, rng: random.Random
) -> None:
    start, end = window
    source = MemorySegments()
    written(story, source, rng)
    with TemporaryDirectory() as root:
        lake = Lake(Path(root))
        reader = Reader(lake, source)
        asked: dict[str, Any] = {"as_of": None if as_of is None else Micros(as_of)}
        joined = reader.joined(
            "default",
            "e",
            start=None if start is None else Micros(start),
            end=None if end is None else Micros(end),
            **asked,
        )
        assert read(joined) == ByHand(story, start, end, as_of).joined()
        by_hand = ByHand(story, None, None, as_of)
        counts = reader.counts("default", "e", **asked)
        assert {name: getattr(counts, name) for name in by_hand.counts()} == by_hand.counts()
        strangers = {each.id for each in by_hand.known if by_hand._meant(each) not in {one.id for one in by_hand.kept}}
        unmatched = reader.labels_unmatched("default", "e", **asked)
        assert set(unmatched["label_id"].to_pylist()) == {format_id(each) for each in strangers}


@settings(max_examples=3)
@given(story=stories(), rng=st.randoms(use_true_random=False))
def test_sealing_changes_nothing_of_it(story: Story, rng: random.Random) -> None:
    source = MemorySegments()
    written(story, source, rng)
    with TemporaryDirectory() as root:
        lake = Lake(Path(root))
        before = read(Reader(lake, source).joined("default", "e"))
        Sealer(source, lake).seal()
        assert source.segments() == []
        assert read(Reader(lake, source).joined("default", "e")) == before == ByHand(story, None, None, None).joined()


@settings(max_examples=8)
@given(story=stories(), cuts=st.sets(moments, max_size=4))
def test_windows_that_touch_hold_every_input_once(story: Story, cuts: set[int]) -> None:
    """Without retries, which may count again a day later: cut anywhere, the windows together are the whole."""
    for at, each in enumerate(story.inputs):
        each.request_id = f"r{at}"
    source = MemorySegments()
    written(story, source, random.Random(0))  # noqa: S311 - an order, not a secret
    with TemporaryDirectory() as root:
        reader = Reader(Lake(Path(root)), source)
        whole = read(reader.joined("default", "e"))
        edges = [None, *map(Micros, sorted(cuts)), None]
        pieces = [read(reader.joined("default", "e", start=start, end=end)) for start, end in pairwise(edges)]
    assert sorted((each for piece in pieces for each in piece), key=repr) == whole


def test_a_retry_days_later_counts_the_same_before_and_after_a_seal() -> None:
    """Its first asking lies too far before the window to be looked for, wherever it is kept."""
    source = MemorySegments()
    asked = [Input(number(at), at * 3 * DAY, None, "same", 0) for at in range(2)]
    for sequence, each in enumerate(asked, 1):
        source.write("a-0", sequence, [(SCHEMA, Block([each]))])
    with TemporaryDirectory() as root:
        lake = Lake(Path(root))
        found = []
        for _ in range(2):
            window = Reader(lake, source).joined("default", "e", start=Micros(3 * DAY))
            found.append(window["input_id"].to_pylist())
            Sealer(source, lake).seal()
    assert found == [[format_id(number(1))]] * 2
    assert source.segments() == []
