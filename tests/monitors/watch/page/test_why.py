"""The page says why the last alarm is: which kind of drift, what it costs, where, and what was said before."""

import msgspec
from tests.monitors.watch.page.stood import MONDAY, stood
from tests.pages.opened import Page, assert_alone

from headgate.evaluation.estimate import Estimate
from headgate.monitors.attribution.attribute import Attribution
from headgate.monitors.attribution.changepoint import ChangePoint
from headgate.monitors.attribution.courses import Course
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.attribution.weakness import Weakness
from headgate.monitors.comparison.compared import ComparedColumn, Figure
from headgate.monitors.diagnosis.diagnosis import Diagnosis
from headgate.monitors.diagnosis.kept import Diagnosed
from headgate.monitors.watch.page.whole import as_page
from headgate.vocabulary import DAY, Micros

HOSTILE = "<script>alert(1)</script>"


def part(value: float) -> Estimate:
    return Estimate("accuracy", value, value - 0.01, value + 0.01, 900)


MAIN = Attribution(
    metric="accuracy",
    drift=Drift.CONCEPT,
    remedy=Remedy.RELEARN,
    reasons=("the field carrier arrives broken",),
    reference=part(0.9),
    current=part(0.8),
    drop=part(0.1),
    data=part(0.02),
    concept=part(0.08),
    unshared=Estimate("accuracy", None, None, None, 0, "no row is without a counterpart"),
    slices=(Weakness(HOSTILE, "AA", 120, part(0.3), part(0.25), 0.05),),
)
FOUND = Diagnosis(
    version="flight:2",
    start=MONDAY,
    end=Micros(MONDAY + 7 * DAY),
    matured=Micros(MONDAY + 6 * DAY),
    known=Micros(MONDAY + 8 * DAY),
    inputs=2000,
    labelled=900,
    metric="accuracy",
    reference="the first 7 days",
    compared_with="the package's rows",
    attributions=(MAIN,),
    course=ChangePoint(course=Course.SUDDEN, began=MONDAY, earliest=MONDAY, latest=Micros(MONDAY + DAY)),
    columns=(ComparedColumn(name="carrier", effects={"psi": Figure(0.31)}, adjusted_p=0.0001),),
    notes=("no field was left out",),
)
EPISODE = Diagnosed(project="default", endpoint="flights", began=MONDAY)


def test_it_says_what_changed_what_it_costs_where_and_what_to_do() -> None:
    page = as_page(stood(diagnosis=EPISODE.after(FOUND)))
    assert_alone(page)
    said = Page(page).said
    for words in (
        "What flight:2 was asked from 2013-03-04 to 2013-03-11, as known on 2013-03-12: 2,000 inputs, 900 of them",
        "kind of driftconceptthe same inputs lead to other outputs",
        "accuracy worse by+0.1000beside the first 7 days",
        "of it another relation+0.08000+0.07000 to +0.09000",
        "What to do: learn again on recent rows",
        "Began: 2013-03-04, between 2013-03-04 and 2013-03-05; sudden.",
        "the field carrier arrives broken.",
        "no field was left out.",
        "+0.1000 (+0.09000 to +0.1100)",
        f"{HOSTILE} AA",
    ):
        assert words in said
    assert "What was said as labels came" not in said, "it was said once"
    assert said.index("Why") < said.index("inputs a day")


def test_what_was_said_before_labels_came_stands_beside_what_was_said_then() -> None:
    early = msgspec.structs.replace(FOUND, attributions=(), metric="", labelled=0, notes=("no label is due",))
    said = Page(as_page(stood(diagnosis=EPISODE.after(early).after(FOUND)))).said
    assert "What was said as labels came" in said
    assert "0 of 2,000" in said
    assert "undecided" in said


def test_of_what_cannot_be_told_it_says_so() -> None:
    bare = Diagnosis(version="m:1", start=MONDAY, end=MONDAY, matured=MONDAY, known=MONDAY, inputs=0, labelled=0)
    said = Page(as_page(stood(diagnosis=EPISODE.after(bare)))).said
    assert "kind of driftundecided" in said
    assert "What each drop is made of" not in said


def test_without_an_alarm_there_is_no_why() -> None:
    for found in (None, EPISODE):
        assert "<h2>Why</h2>" not in as_page(stood(diagnosis=found))
