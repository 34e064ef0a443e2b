"""What an endpoint's file says of outliers: off by default, rates as people say them, what is refused."""

import pytest

from headgate.errors import BadConfiguration
from headgate.traffic.endpoint import dump_endpoint, load_endpoint
from headgate.traffic.outliers import OutlierWords, rate_of, screen_of, words_of

BEGIN = "endpoint: late\nmodel: late\n"


def test_nothing_is_looked_at_unless_somebody_says_so() -> None:
    spec = load_endpoint(BEGIN, "file")
    assert spec.outliers == OutlierWords()
    assert screen_of(spec.outliers, "sha256:1", None) is None
    assert "outliers" not in dump_endpoint(spec)


def test_what_is_written_is_read_back() -> None:
    spec = load_endpoint(f"{BEGIN}outliers:\n  flag: 1 in 200\n  reject: 1 in 5000\n", "file")
    assert load_endpoint(dump_endpoint(spec), "file") == spec
    screen = screen_of(spec.outliers, "sha256:1", None)
    assert screen is not None
    assert (screen.flag, screen.reject, screen.rate) == (0.005, 0.0002, 0.005)


def test_refusing_alone_has_its_own_rate() -> None:
    screen = screen_of(OutlierWords(reject="1 in 1000"), "sha256:1", None)
    assert screen is not None
    assert (screen.flag, screen.reject, screen.rate) == (None, 0.001, 0.001)


@pytest.mark.parametrize("denominator", [2, 3, 7, 1000, 9_999_999])
def test_a_rate_is_told_in_the_words_it_was_written_in(denominator: int) -> None:
    rate = rate_of(f"1 in {denominator}")
    assert rate is not None
    assert words_of(rate) == f"1 in {denominator}"


def test_a_detector_has_another_name_where_anything_of_it_is_another() -> None:
    flag, both = OutlierWords(flag="1 in 100"), OutlierWords(flag="1 in 100", reject="1 in 1000")
    made = [(flag, "sha256:1", None), (both, "sha256:1", None), (flag, "sha256:2", None), (flag, "sha256:1", "{}")]
    screens = [screen_of(*each) for each in made]
    assert len({each.detector for each in screens if each is not None}) == 4
    assert screens[0] == screen_of(*made[0])


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("flag: 0.001", "outliers"),
        ("flag: 1 in 1", "outliers.flag"),
        ("flag: 1 in 0", "outliers.flag"),
        ("flag: 2 in 1000", "outliers.flag"),
        ("flag: 1 in 10000000", "outliers.flag"),
        ("flag: seldom", "outliers.flag"),
        ("reject: 1 in -5", "outliers.reject"),
        ("flag: 1 in 1000\n  reject: 1 in 100", "outliers.reject"),
        ("flag: 1 in 100\n  reject: 1 in 100", "outliers.reject"),
        ("warn: 1 in 100", "outliers"),
    ],
)
def test_what_breaks_a_rule_is_named(words: str, key: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        load_endpoint(f"{BEGIN}outliers:\n  {words}\n", "file")
    assert key in refused.value.where
