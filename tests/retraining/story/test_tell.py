"""A story says what the records say, and names every link that is missing."""

import msgspec
import pytest
from tests.retraining.story.samples import T0, at, facts, made, run

from headgate.retraining.run import Firing, Outcome, Run, Source, Stage
from headgate.retraining.story.facts import Facts, Moved
from headgate.retraining.story.page import as_page
from headgate.retraining.story.story import Mention, Story
from headgate.retraining.story.tell import tell
from headgate.retraining.story.text import as_markdown, as_text

QUESTIONS = [
    "What fired",
    "What data",
    "What was learnt",
    "What was proved",
    "Who or what approved",
    "What happened since",
]


def said(story: Story, question: str) -> str:
    return " ".join(each.says for chapter in story.chapters if chapter.title == question for each in chapter.sentences)


def test_a_change_with_all_its_records_has_no_gap() -> None:
    story = tell(facts())
    assert [each.title for each in story.chapters] == QUESTIONS
    assert story.gaps == ()
    assert story.title == "How late went from late:1 to late:2"
    assert story.short == (
        "On 2013-07-03 00:00 UTC an alarm fired. What it learned is in charge, and its probation is over."
    )
    for question, words in {
        "What fired": ["The monitor loss had found", "It was 0.31", "What changed is 'concept'"],
        "What data": ["9,000 labelled rows", "'since_change'", "4 rows were left out", "Tried beside it, 'everything'"],
        "What was learnt": [
            "took 61.5 s and 420 MB",
            "python 3.12",
            "budget = 60",
            "registered as late:2 by controller",
        ],
        "What was proved": ["same 1,200 rows", "not worse than champion: passed", "at most 1 in 100", "at most 0.01"],
        "Who or what approved": ["Nobody had to be asked", "began rollout 4", "it was promoted by controller: every"],
        "What happened since": ["took the endpoint over", "Probation", "late:2 is in charge of late. Nothing else"],
    }.items():
        for each in words:
            assert each in said(story, question), (question, each)


@pytest.mark.parametrize(
    ("lost", "gap"),
    [
        ({"alarms": ()}, "The alert it names is no longer kept"),
        ({"diagnosis": ()}, "There is no diagnosis"),
        ({"dataset": None}, "The training set sha256:abab"),
        ({"made": None}, "late:2 is no longer registered"),
        ({"proof": None}, "The proof itself, check by check"),
        ({"rollout": None}, "Rollout 4 is no longer kept"),
        ({"live": ""}, "The endpoint late is not there any more"),
        ({"run": run().with_(probed=None)}, "What its probation found"),
        ({"run": run().with_(cut=None)}, "No training set was cut that there is a record of"),
        ({"run": run().with_(learned=None)}, "Nothing was learned that there is a record of"),
    ],
)
def test_what_is_lost_is_said_to_be(lost: dict[str, object], gap: str) -> None:
    gaps = tell(facts(**lost)).gaps
    assert [each for each in gaps if gap in each], gaps
    assert len(gaps) == 1


@pytest.mark.parametrize("outcome", Outcome)
def test_every_end_is_told(outcome: Outcome) -> None:
    story = tell(facts(run=run(outcome)))
    assert "its probation is over" in said(story, "What happened since")
    assert story.short.startswith("On 2013-07-03 00:00 UTC an alarm fired. ")


@pytest.mark.parametrize("stage", [each for each in Stage if each not in (Stage.FIRED, Stage.ENDED)])
def test_a_run_that_failed_early_has_no_gaps_behind_it(stage: Stage) -> None:
    stages = list(Stage)
    firing = Firing(at=T0, source=Source.SCHEDULE, why="it is Monday")
    found = Run(endpoint="late", number=3, fired=T0, firings=(firing,), champion="late:1")
    full = run()
    for each in stages[1 : stages.index(stage) + 1]:
        found = found.to(each, T0, "on")
    reached = stages.index(stage)
    found = found.with_(
        cut=full.cut if reached > stages.index(Stage.CUTTING) else None,
        learned=full.learned if reached > stages.index(Stage.LEARNING) else None,
        challenger="late:2" if reached > stages.index(Stage.REGISTERING) else "",
        proof=full.proof if reached > stages.index(Stage.PROVING) else None,
        rollout=4 if reached > stages.index(Stage.ROLLING_OUT) else None,
    ).end(Outcome.FAILED, at(1), "one class alone")
    whole = facts(run=found)
    kept = {
        "dataset": whole.dataset if found.cut else None,
        "made": whole.made if found.challenger else None,
        "proof": whole.proof if found.proof else None,
        "rollout": whole.rollout if found.rollout else None,
    }
    story = tell(facts(run=found, live="late:1", diagnosis=(), **kept))
    assert story.gaps == ()
    assert "one class alone" in said(story, "What happened since")


def test_a_run_under_way_says_so() -> None:
    firing = Firing(at=T0, source=Source.PERSON, why="ann said so", who="ann")
    found = Run(endpoint="late", number=3, fired=T0, firings=(firing,), champion="late:1").to(Stage.CUTTING, T0, "on")
    story = tell(Facts("late.3", "default", "late", "late:1", "", at(1), live="late:1", run=found))
    assert story.gaps == ()
    assert story.short == "On 2013-07-01 00:00 UTC a person fired; the run is cutting."
    assert story.title == "How late kept late:1"


def test_what_a_person_did_by_hand_is_told_with_what_nobody_wrote_down() -> None:
    begun = Moved(at(1), "ann", "the endpoint's file was changed", "", sealed=True)
    by_hand = facts(run=None, rollout=None, proof=None, dataset=None, alarms=(), diagnosis=(), applied=begun)
    story = tell(by_hand)
    assert story.short == "On 2013-07-02 00:00 UTC ann put late:2 in charge by hand."
    assert [each.partition(":")[0].partition(";")[0].partition(",")[0] for each in story.gaps] == [
        "No reason was given",
        "Which rows these were",
    ]
    assert "gate auc >= 0.65" in said(story, "What was proved")
    unproved = tell(facts(run=None, rollout=None, proof=None, applied=begun, made=made(measured=(), code=None)))
    assert len(unproved.gaps) == 4


def test_it_is_shown_in_every_form_and_nothing_in_it_is_markup() -> None:
    evil = "<script>alert(1)</script> [a](b) | *c*"
    firing = Firing(at=at(2), source=Source.MESSAGE, why=evil, who=evil)
    others = (Mention("late.2", at(1), evil),)
    story = tell(facts(run=run().with_(firings=(firing,))), others)
    for page in (as_page(story), as_markdown(story)):
        assert "<script" not in page
        assert "&lt;script" in page
    assert "| *c*" not in as_markdown(story)
    text = as_text(story)
    assert max(len(line) for line in text.splitlines()) <= 140
    assert "late.2" in text
    assert msgspec.json.decode(msgspec.json.encode(story), type=Story) == story
