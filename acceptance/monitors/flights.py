"""What the flights demo's report says of its model in summer and in December."""

from typing import Any, Final

from acceptance.rows import Bench, Measured, Red, Suite
from acceptance.spine.flights import story

SUITE = Suite()
DEMO: Final = "headgate demo monitors --json"
NAMED: Final = ("none", "data", "concept", "both")
PARTED: Final = ("drop", "data", "concept")


def seasons(bench: Bench) -> dict[str, Any]:
    """What the demo's report says of the model in summer and in December."""
    found = {each["season"]: each for each in story(bench).told.get("seasons", ())}
    if set(found) != {"summer", "December"}:
        raise Red(f"it speaks of {', '.join(found) or 'no season'}")
    return found


@SUITE.row("show-flights", "the flights demo names what happened in summer and in December: seasons", DEMO)
def flights(bench: Bench) -> Measured:
    kinds = {name: each["whole"]["attributions"][0]["drift"] for name, each in seasons(bench).items()}
    if unknown := {name: kind for name, kind in kinds.items() if kind not in NAMED}:
        raise Red(f"it names no kind of {unknown}")
    return Measured(len(kinds), 2, at_least=True)


@SUITE.row("show-flights-cost", "how much it costs, with its interval and both parts", DEMO)
def cost(bench: Bench) -> Measured:
    parts = [each["whole"]["attributions"][0][part] for each in seasons(bench).values() for part in PARTED]
    known = sum(each["low"] is not None and each["high"] is not None for each in parts)
    return Measured(known, len(parts), at_least=True)


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
