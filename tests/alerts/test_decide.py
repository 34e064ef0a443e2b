"""When people are told of an alert: case by case, and as a machine that no sequence of findings makes cry wolf."""

import itertools
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.alerts.samples import T0, finding

from headgate.alerts.alert import Alert, Notice, Silence, acknowledged, raised
from headgate.alerts.decide import Decision, on_clearing, on_finding, on_time, recipients
from headgate.alerts.finding import Severity
from headgate.alerts.rule import Rule
from headgate.vocabulary import DAY, HOUR, Micros

RULE = Rule()
WARNING, CRITICAL, INFO = Severity.WARNING, Severity.CRITICAL, Severity.INFO


class Story:
    """One finding's alerts, moved by what a test tells; what people hear is gathered."""

    def __init__(self, rule: Rule = RULE) -> None:
        self.rule = rule
        self.now = T0
        self.alert: Alert | None = None
        self.silenced = False
        self.heard: list[tuple[int, Notice]] = []

    def find(self, severity: Severity = WARNING, *, hours: float = 0, until: int | None = None) -> "Story":
        self._later(hours)
        found = finding(severity, self.now, until=until)
        return self._take(on_finding(self.alert, found, self.rule, silenced=self.silenced, now=self.now))

    def wait(self, hours: float) -> "Story":
        self._later(hours)
        assert self.alert is not None
        if self.alert.stands:
            self._take(on_time(self.alert, self.rule, silenced=self.silenced, now=self.now))
        return self

    def clear(self, *, hours: float = 0) -> "Story":
        self._later(hours)
        assert self.alert is not None
        return self._take(on_clearing(self.alert, self.rule, now=self.now))

    def acknowledge(self) -> "Story":
        assert self.alert is not None
        self.alert = acknowledged(self.alert, "ann", self.now)
        return self

    @property
    def notices(self) -> list[str]:
        return [each.value for _, each in self.heard]

    def _later(self, hours: float) -> None:
        self.now = Micros(self.now + round(hours * HOUR))

    def _take(self, decided: Decision | None) -> "Story":
        if decided is None:
            return self
        before, self.alert = self.alert, decided.alert
        same = before is not None and before.episode == decided.alert.episode
        assert decided.alert.revision == (before.revision + 1 if same and before is not None else 1)
        if decided.notice is not None:
            self.heard.append((self.now, decided.notice))
        return self


def test_one_finding_is_told_once_however_often_it_is_found() -> None:
    story = Story().find()
    for _ in range(20):
        story.find(hours=0.1)
    assert story.notices == ["raised"]
    assert story.alert is not None
    assert (story.alert.times, story.alert.id[-2:]) == (21, "-1")


def test_what_is_still_found_after_the_cooldown_is_told_again_and_what_was_found_once_is_not() -> None:
    assert Story().find().find(hours=5).notices == ["raised", "again"]
    assert Story().find().find(hours=1).wait(2.9).wait(0.1).notices == ["raised", "again"]
    assert Story().find().wait(5).wait(5).notices == ["raised"]


def test_what_grows_worse_is_told_at_once_and_what_gets_better_is_not() -> None:
    story = Story().find(WARNING).find(CRITICAL, hours=0.1).find(WARNING, hours=0.1).find(CRITICAL, hours=0.1)
    assert story.notices == ["raised", "worse"]
    assert story.alert is not None
    assert story.alert.severity is CRITICAL


def test_it_is_over_when_it_was_not_found_for_a_while_or_its_monitor_says_so() -> None:
    assert Story().find().wait(23.9).notices == ["raised"]
    assert Story().find().wait(24).notices == ["raised", "over"]
    assert Story().find().clear().notices == ["raised", "over"]
    assert Story().find(until=T0 + 3 * DAY).wait(71).notices == ["raised"]
    assert Story().find(until=T0 + 3 * DAY).wait(72).notices == ["raised", "over"]


def test_what_comes_and_goes_within_the_cooldown_is_the_same_alert() -> None:
    story = Story().find().clear(hours=0.5).find(hours=0.5).clear(hours=0.5).find(hours=0.5)
    assert story.notices == ["raised", "over"]
    assert story.alert is not None
    assert (story.alert.episode, story.alert.stands, story.alert.times) == (1, True, 3)
    assert story.wait(2).notices == ["raised", "over", "again"], "it stands although people heard that it is over"


def test_what_returns_after_the_cooldown_is_another_alert() -> None:
    story = Story().find().clear(hours=1).find(hours=3)
    assert story.notices == ["raised", "over", "raised"]
    assert story.alert is not None
    assert (story.alert.episode, story.alert.times) == (2, 1)


def test_nobody_is_reminded_of_what_somebody_has_taken_on_until_it_grows_worse() -> None:
    story = Story().find().acknowledge().find(hours=5).find(hours=5)
    assert story.notices == ["raised"]
    story.find(CRITICAL, hours=1)
    assert story.notices == ["raised", "worse"]
    assert story.alert is not None
    assert story.alert.acknowledged is None
    assert story.find(hours=5).notices == ["raised", "worse", "again"]


def test_an_acknowledgement_ends_with_the_alert() -> None:
    story = Story().find().acknowledge().clear().find(hours=1).wait(4)
    assert story.notices == ["raised", "over", "again"]


def test_in_a_silence_nobody_is_told_and_what_stands_at_its_end_is_told_then() -> None:
    story = Story()
    story.silenced = True
    story.find().find(CRITICAL, hours=5)
    assert story.notices == []
    story.silenced = False
    assert story.wait(0.1).notices == ["raised"]
    assert story.alert is not None
    assert story.alert.warned_of is CRITICAL, "as bad as it is by then"


def test_what_began_and_ended_in_a_silence_is_told_to_nobody() -> None:
    story = Story()
    story.silenced = True
    story.find().wait(25)
    story.silenced = False
    assert story.alert is not None
    assert (story.notices, story.alert.stands) == ([], False)
    assert story.find(hours=1).notices == ["raised"]


def test_that_it_is_over_is_told_in_a_silence_to_those_who_heard_that_it_stands() -> None:
    story = Story().find()
    story.silenced = True
    assert story.wait(24).notices == ["raised", "over"]


def test_who_took_it_on_in_a_silence_needs_no_word_at_its_end() -> None:
    story = Story()
    story.silenced = True
    story.find().acknowledge()
    story.silenced = False
    assert story.wait(1).notices == []


def test_what_is_not_severe_enough_is_kept_and_told_to_nobody() -> None:
    story = Story(Rule(least=CRITICAL)).find(WARNING).find(WARNING, hours=5).find(CRITICAL, hours=1)
    assert story.notices == ["raised"]
    assert Story(Rule(least=CRITICAL)).find(WARNING).wait(24).notices == []


def test_a_clock_that_lags_takes_nothing_back() -> None:
    alert = on_finding(raised(finding(at=T0 + 9)), finding(at=T0), RULE, silenced=False, now=T0).alert
    assert alert.seen == T0 + 9


@pytest.mark.parametrize(
    ("notice", "rule", "waiting", "told"),
    [
        (Notice.RAISED, RULE, (), ("log", "chat", "ops")),
        (Notice.OVER, RULE, ("chat",), ("log", "chat", "ops")),
        (Notice.AGAIN, RULE, ("chat",), ("log", "ops")),
        (Notice.RAISED, Rule(channels=()), (), ("log",)),
        (Notice.RAISED, Rule(channels=("ops", "pager", "ops")), (), ("log", "ops")),
        (Notice.RAISED, Rule(channels=("gone", "log")), (), ("log", "gone")),
    ],
)
def test_who_is_told(notice: Notice, rule: Rule, waiting: Sequence[str], told: tuple[str, ...]) -> None:
    channels = {"chat": INFO, "ops": WARNING, "pager": CRITICAL}
    alert = raised(finding())
    assert recipients(alert, notice, rule, channels, waiting=frozenset(waiting)) == told


def test_a_silence_holds_from_its_beginning_to_its_end() -> None:
    silence = Silence("default", "late", Micros(5), Micros(9), "ann", "a migration")
    assert [silence.holds(Micros(at)) for at in (4, 5, 8, 9)] == [False, True, True, False]


class Anything(RuleBasedStateMachine):
    """Any sequence of findings, clearings, silences and time."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story(Rule(cooldown=Micros(4 * HOUR), over_after=Micros(6 * HOUR)))
        self.told: list[tuple[int, Notice, Severity, int]] = []

    def _noted(self, before: int) -> None:
        for at, notice in self.story.heard[before:]:
            assert self.story.alert is not None
            self.told.append((at, notice, self.story.alert.severity, self.story.alert.episode))

    @rule(severity=st.sampled_from(Severity), minutes=st.integers(0, 600))
    def something_is_found(self, severity: Severity, minutes: int) -> None:
        before = len(self.story.heard)
        self.story.find(severity, hours=minutes / 60)
        self._noted(before)

    @rule(minutes=st.integers(0, 600))
    def time_passes(self, minutes: int) -> None:
        before = len(self.story.heard)
        if self.story.alert is not None:
            self.story.wait(minutes / 60)
        self._noted(before)

    @rule()
    def its_monitor_says_that_it_is_over(self) -> None:
        before = len(self.story.heard)
        if self.story.alert is not None and self.story.alert.stands:
            self.story.clear()
        self._noted(before)

    @rule()
    def somebody_takes_it_on(self) -> None:
        if self.story.alert is not None and self.story.alert.stands:
            self.story.acknowledge()

    @rule(silenced=st.booleans())
    def somebody_silences_it(self, silenced: bool) -> None:
        self.story.silenced = silenced

    @invariant()
    def nobody_is_told_the_same_within_a_cooldown(self) -> None:
        bad = [each for each in self.told if each[1] is not Notice.OVER]
        for (at, *_), (later, notice, *_) in itertools.pairwise(bad):
            assert notice is Notice.WORSE or later - at >= self.story.rule.cooldown

    @invariant()
    def good_news_follows_bad_news_and_no_other(self) -> None:
        notices = [each[1] for each in self.told]
        for before, notice in zip([None, *notices], notices, strict=False):
            assert notice is not Notice.OVER or before not in (None, Notice.OVER)

    @invariant()
    def what_is_told_as_worse_is_worse(self) -> None:
        bad = [each for each in self.told if each[1] is not Notice.OVER]
        for (_, _, was, episode), (_, notice, severity, same) in itertools.pairwise(bad):
            if notice is Notice.WORSE:
                assert same == episode
                assert not was.reaches(severity)

    @invariant()
    def a_look_at_the_same_moment_changes_nothing(self) -> None:
        alert = self.story.alert
        if alert is not None and alert.stands:
            first = on_time(alert, self.story.rule, silenced=self.story.silenced, now=self.story.now)
            if first is not None and first.alert.stands:
                again = on_time(first.alert, self.story.rule, silenced=self.story.silenced, now=self.story.now)
                assert again is None

    @invariant()
    def it_survives_its_record(self) -> None:
        alert = self.story.alert
        if alert is not None:
            assert msgspec.json.decode(msgspec.json.encode(alert), type=Alert) == alert


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
