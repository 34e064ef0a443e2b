"""An endpoint's page says what is wrong first, draws every quantity beside its table, and escapes what people wrote."""

from itertools import pairwise

import msgspec
import pytest
from tests.monitors.watch.page.stood import ALARM, BEFORE, ERRORS, LIVE, MONDAY, QUIET, alert, day, stood
from tests.pages.opened import Page, assert_alone

from headgate.alerts.alert import Acknowledgement
from headgate.alerts.finding import Figure, Link
from headgate.evaluation.estimate import Estimate
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.page.whole import as_page
from headgate.monitors.watch.report import Line, Monitored
from headgate.pages.parts import Section
from headgate.vocabulary import DAY, Micros

HOSTILE = "\"><script>alert(1)</script><b onload=x>'</style>&"


@pytest.fixture(scope="module")
def page() -> str:
    return as_page(stood(), (alert(),), (QUIET,))


def test_it_stands_alone_and_is_whole(page: str) -> None:
    assert_alone(page)
    found = Page(page)
    assert (len(found.all("h1")), len(found.all("main"))) == (1, 1)
    levels = [int(name[1]) for name, _ in found.found if name in ("h1", "h2", "h3")]
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert len(found.all("caption")) == len(found.all("table"))


def test_every_monitor_says_since_when_on_what_evidence_how_sure_and_what_to_do(page: str) -> None:
    said = Page(page).said
    for words in (
        "more than 1 % of inputs end in an error",
        "2013-03-11 03:00 UTC",
        "20 of 492 (4.07 %)",
        "the model fails; the log names the exception",
        "roll back if it began with a version",
        "false alarms of all 6 monitors",
        "the reference was taken away",
        "no day had 50 labels yet",
        "nothing says otherwise",
    ):
        assert words in said
    cards = [each["class"] for each in Page(page).all("article")]
    assert cards == ["card loud", "card loud", "card", "card", "card loud"], "four monitors and an alert"


def test_what_is_wrong_comes_first(page: str) -> None:
    said = Page(page).said
    assert said.index("monitors that alarm1 of 4errors") < said.index("more than 1 %") < said.index("inputs a day")


def test_each_quantity_is_drawn_by_version_and_stands_in_a_table(page: str) -> None:
    found = Page(page)
    drawn = [str(each["aria-label"]) for each in found.all("svg") if each.get("role") == "img"]
    assert drawn == [
        "inputs a day",
        "% of all inputs of a day",
        "p50 of latency, ms",
        "p95 of latency, ms",
        "p99 of latency, ms",
        "seconds of model for 1,000 answers",
        "% of due labels that came in time",
        "auc",
        "log_loss",
    ]
    assert "0.7700 (0.7500 to 0.7900)" not in found.said, "on the fourth day nothing happened"
    assert "0.7600 (0.7400 to 0.7800)" in found.said
    assert "90 on 2013-03-12" not in found.said
    assert "flight:2: 90 % on 2013-03-12" in found.said, "the last day with labels"
    assert "flight:1: 200 on 2013-03-09, 200 to 200 on 5 days." in found.said
    assert "refused by rule: range 81, type 27" in found.said.lower()


def test_the_reference_is_a_band_where_it_has_an_interval(page: str) -> None:
    found = Page(page)
    assert "flight:2 when it was evaluated: 0.8100 (0.8000 to 0.8200)" in found.said
    assert len([each for each in found.all("rect") if each["class"] == "band"]) == 2, "in the plot and its legend"
    assert "nan" not in page.lower()


def test_an_alarm_is_marked_on_the_plot_of_what_it_is_about(page: str) -> None:
    assert Page(page).said.count("errors alarms since: 2013-03-11") == 1
    old = msgspec.structs.replace(ALARM, since=Micros(MONDAY - 40 * DAY))
    assert "alarms since:" not in as_page(stood(monitors=(Line("errors", old),))), "it began before the days shown"


def test_money_is_drawn_where_the_file_says_what_an_hour_costs(page: str) -> None:
    assert "cost of 1,000 answers" not in page
    priced = Page(as_page(stood(price_per_cpu_hour=9.0)))
    assert "cost of 1,000 answers" in priced.said
    assert "flight:2: 0.001000 on 2013-03-13" in priced.said, "0.4 s a thousand at 9 an hour"


def test_alerts_say_who_took_them_on_and_who_asked_for_quiet(page: str) -> None:
    said = Page(page).said
    assert "nobody is told of alerts until 2013-03-15T00:00:00Z, says ann: a migration" in said
    taken = alert(acknowledged=Acknowledgement("bob", MONDAY, "on it"), times=3)
    linked = msgspec.structs.replace(taken, finding=msgspec.structs.replace(ERRORS, links=(Link("run", "https://x/"),)))
    said = Page(as_page(stood(), (linked,))).said
    for words in ("by bob at 2013-03-04T00:00:00Z: on it", "3 times", "https://x/"):
        assert words in said
    assert "No alert stands." in as_page(stood())


def test_before_the_first_look_there_is_a_page_too() -> None:
    found = Monitored(project="default", endpoint="late", version="late:1", notes=("nobody has looked yet",))
    said = Page(as_page(found)).said
    assert "nobody has looked yet." in said
    assert "Nothing was looked at yet." in said
    assert "inputs a day" not in said


def test_of_days_without_labels_it_says_so() -> None:
    assert "No label of these days is due yet." in as_page(stood(days=(day(LIVE, 0, 100, labelled=False),)))


def test_one_empty_day_is_no_trouble() -> None:
    assert "inputs a day" in as_page(stood(days=(Day(version="", start=MONDAY),)))


def test_figures_that_are_no_numbers_are_told_and_not_drawn() -> None:
    wild = {
        "mae": Estimate("mae", float("inf"), float("nan"), 1e308, 10),
        "rmse": Estimate("rmse", 1e200, 0.0, 1e300, 9),
    }
    found = Page(as_page(stood(days=(msgspec.structs.replace(day(LIVE, 0, 9, labelled=True), figures=wild),))))
    assert [each["aria-label"] for each in found.all("svg") if each.get("aria-label") in ("mae", "rmse")] == []
    assert "1.000e+200" in found.said


def test_of_many_versions_the_busiest_are_drawn_and_all_are_in_the_table() -> None:
    many = tuple(day(f"m:{number}", 0, 10 * number, labelled=True) for number in range(1, 9))
    said = Page(as_page(stood(days=many, version="m:8"))).said
    assert "Of 4 more versions with fewer inputs the tables tell: m:4, m:3, m:2, m:1." in said
    assert said.count("m:1") >= 4, "traffic, time, labels, figures"


def test_sections_of_others_come_last(page: str) -> None:
    more = as_page(stood(), beside=(Section("Rollout", ("it is better",)),))
    assert more.index("it is better") > more.index("Labels and what they say")
    assert "Rollout" not in page


def test_hostile_words_stay_words() -> None:
    says = msgspec.structs.replace(
        ALARM, what=HOSTILE, advice=HOSTILE, certainty=HOSTILE, figures=(Figure(HOSTILE, HOSTILE, HOSTILE),)
    )
    hostile = msgspec.structs.replace(day(HOSTILE, 0, 90, labelled=True), refused={HOSTILE: 2})
    hostile = msgspec.structs.replace(hostile, figures={HOSTILE: hostile.figures["auc"]})
    found = stood(
        endpoint=HOSTILE,
        version=HOSTILE,
        monitors=(Line(HOSTILE, says),),
        days=(hostile,),
        notes=(HOSTILE,),
        reference={HOSTILE: Estimate(HOSTILE, 0.5, 0.4, 0.6, 9)},
    )
    bad = msgspec.structs.replace(ERRORS, what=HOSTILE, cause=HOSTILE, subject=HOSTILE, links=(Link(HOSTILE, HOSTILE),))
    page = as_page(found, (alert(finding=bad),), (msgspec.structs.replace(QUIET, because=HOSTILE),))
    assert_alone(page)
    parsed = Page(page)
    assert not parsed.all("b")
    assert not any(key.startswith("on") for _, attributes in parsed.found for key in attributes)
    assert parsed.said.count("<script>") > 20


def test_a_version_that_left_is_still_drawn(page: str) -> None:
    assert f"{BEFORE}: 90 % on 2013-03-09" in Page(page).said
