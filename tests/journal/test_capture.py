import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.clock import HeldClock
from headgate.errors import BadConfiguration
from headgate.journal.capture import Capture
from headgate.journal.identifiers import Mint
from headgate.vocabulary import Micros

NAMES = ("distance", "carrier", "passenger")
ROW = (1400.0, "UA", "Anna")
IDS = Mint(bytes(32), HeldClock(Micros(1_700_000_000_000_000)), 0).draw_many(b"default/delays", 4000)


def test_keeping_everything_is_the_identity() -> None:
    capture = Capture(NAMES)
    assert capture.everything
    assert capture.names == NAMES
    assert capture.kept(ROW) is ROW
    assert Capture(NAMES, fields=NAMES).everything
    assert Capture(NAMES, fields=[]).everybody
    assert not Capture(NAMES, sampling_percent=99.0).everybody


@given(st.sets(st.sampled_from(NAMES)) | st.none(), st.sets(st.sampled_from(NAMES)))
def test_kept_names_and_values_stay_together(fields: set[str] | None, redact: set[str]) -> None:
    capture = Capture(NAMES, fields=fields, redact=redact)
    kept = capture.kept(ROW)
    expected = [name for name in NAMES if (fields is None or name in fields) and name not in redact]
    assert dict(zip(capture.names, kept, strict=True)) == {name: ROW[NAMES.index(name)] for name in expected}


def test_redaction_wins_over_fields() -> None:
    assert Capture(NAMES, fields=["passenger"], redact=["passenger"]).names == ()


@pytest.mark.parametrize("percent", [0.0, 1.0, 25.0, 99.0, 100.0])
def test_the_share_kept_is_the_share_asked_for(percent: float) -> None:
    capture = Capture(NAMES, sampling_percent=percent)
    share = sum(capture.samples(each) for each in IDS) / len(IDS)
    deviation = math.sqrt(percent / 100 * (1 - percent / 100) / len(IDS))
    assert abs(share - percent / 100) <= 4 * deviation


def test_sampling_is_a_function_of_the_id() -> None:
    half = Capture(NAMES, sampling_percent=50.0, redact=["carrier"])
    again = Capture(NAMES, sampling_percent=50.0, redact=["carrier"])
    assert [half.samples(each) for each in IDS] == [again.samples(each) for each in IDS]


def test_a_larger_share_keeps_what_a_smaller_one_kept() -> None:
    small, large = Capture(NAMES, sampling_percent=10.0), Capture(NAMES, sampling_percent=30.0)
    assert all(large.samples(each) for each in IDS if small.samples(each))


@pytest.mark.parametrize("percent", [-1.0, 100.1, math.nan, math.inf])
def test_a_share_outside_its_range_is_refused(percent: float) -> None:
    with pytest.raises(BadConfiguration, match=r"capture\.sampling_percent"):
        Capture(NAMES, sampling_percent=percent)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(BadConfiguration, match=r"capture\.fields: .*'speed'"):
        Capture(NAMES, fields=["speed"])
    with pytest.raises(BadConfiguration, match=r"capture\.redact: .*'speed'"):
        Capture(NAMES, redact=["speed"])
