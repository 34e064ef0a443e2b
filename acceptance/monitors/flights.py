"""What the flights demo's report says of its model in summer and in December."""

from typing import Any, Final

from acceptance.rows import Bench, Measured, Red, Suite
from acceptance.spine.flights import story

SUITE = Suite()
DEMO: Final = "headgate demo monitors --json"
NAMED: Final = ("none", "data", "concept", "both")
INPUTS: Final = "the inputs have changed; whether the relation has cannot be told"
"""What is said where no flight of the season has a counterpart in the winter that the model learned from."""
PARTS: Final = ("data", "concept")


def seasons(bench: Bench) -> dict[str, Any]:
    """What the demo's report says of the model in summer and in December."""
    found = {each["season"]: each for each in story(bench).told.get("seasons", ())}
    if set(found) != {"summer", "December"}:
        raise Red(f"it speaks of {', '.join(found) or 'no season'}")
    return found


@SUITE.row(
    "show-flights",
    "the flights demo names what happened in summer and in December, or that inputs changed so much that no more can "
    "be told: seasons",
    DEMO,
)
def flights(bench: Bench) -> Measured:
    found = {name: each["whole"]["attributions"][0] for name, each in seasons(bench).items()}
    if not any(each["drift"] in NAMED for each in found.values()):
        raise Red("it names no kind of drift at all")
    silent = {
        name: each["drift"]
        for name, each in found.items()
        if each["drift"] not in NAMED and INPUTS not in each["reasons"]
    }
    if silent:
        raise Red(f"it neither names a kind nor says why it cannot: {silent}")
    return Measured(len(found), 2, at_least=True)


@SUITE.row(
    "show-flights-cost",
    "how much it costs, with its interval, and both parts with theirs, or why they cannot be told apart: seasons",
    DEMO,
)
def cost(bench: Bench) -> Measured:
    found = [each["whole"]["attributions"][0] for each in seasons(bench).values()]
    if not any(_has_interval(each[part]) for each in found for part in PARTS):
        raise Red("no season's cost is divided")
    told = [
        each
        for each in found
        if _has_interval(each["drop"]) and all(_has_interval(each[part]) or each[part]["reason"] for part in PARTS)
    ]
    return Measured(len(told), len(found), at_least=True)


def _has_interval(estimate: dict[str, Any]) -> bool:
    return estimate["low"] is not None and estimate["high"] is not None


@SUITE.row("show-flights-since", "from when on: seasons whose change has a beginning", DEMO)
def since(bench: Bench) -> Measured:
    courses = [each["whole"]["course"] for each in seasons(bench).values()]
    return Measured(sum(each["began"] is not None for each in courses), 1, at_least=True)


@SUITE.row(
    "show-flights-early",
    "before all labels were in, and what it said when they were: seasons of which something was said on a part of the "
    "labels, and the whole on more",
    DEMO,
)
def early(bench: Bench) -> Measured:
    found = seasons(bench).values()
    told = [each for each in found if any(said["labelled"] < said["inputs"] for said in each["said"])]
    if not all(each["whole"]["labelled"] > min(said["labelled"] for said in each["said"]) for each in told):
        raise Red("the whole has no more labels than what was said before")
    return Measured(len(told), 1, at_least=True)
