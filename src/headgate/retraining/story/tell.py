"""Tells the story of one change from its facts; pure."""

from collections.abc import Sequence

from headgate.retraining.story.causes import FIRED, data, fired, learnt, proved
from headgate.retraining.story.effects import ENDS, approved, since
from headgate.retraining.story.facts import Facts
from headgate.retraining.story.story import Mention, Story, chapter, moment


def tell(facts: Facts, others: Sequence[Mention] = ()) -> Story:
    """The whole story; `others` are the endpoint's other changes.

    >>> facts = Facts("m:1", "default", "", "", "m:1", 0)
    >>> tell(facts).gaps[-1]
    'The version is no longer registered, so that nothing says what it learned from.'
    """
    return Story(
        id=facts.id,
        project=facts.project,
        endpoint=facts.endpoint,
        title=_title(facts),
        short=in_short(facts),
        chapters=(
            chapter("What fired", fired(facts)),
            chapter("What data", data(facts)),
            chapter("What was learnt", learnt(facts)),
            chapter("What was proved", proved(facts)),
            chapter("Who or what approved", approved(facts)),
            chapter("What happened since", since(facts)),
        ),
        others=tuple(others),
    )


def in_short(facts: Facts) -> str:
    """What came of it, in a sentence."""
    run, rollout = facts.run, facts.rollout
    if run is not None:
        first = run.firings[0] if run.firings else None
        why = f"{FIRED[first.source]} fired" if first is not None else "something fired"
        if run.outcome is not None:
            return f"On {moment(run.fired)} {why}. {ENDS[run.outcome]}"
        return f"On {moment(run.fired)} {why}; the run is {run.stage.value.replace('_', ' ')}."
    if rollout is not None:
        began = f"On {moment(rollout.begun.at)} {rollout.begun.who or 'somebody'} began a rollout"
        return f"{began} of {facts.after}; it is {rollout.phase.replace('_', ' ')}."
    if facts.applied is not None:
        return f"On {moment(facts.applied.at)} {facts.applied.who} put {facts.after} in charge by hand."
    return f"{facts.after} was registered, and no endpoint was to ask it."


def _title(facts: Facts) -> str:
    if not facts.endpoint:
        return f"How {facts.after} came to be"
    if not facts.after:
        return f"How {facts.endpoint} kept {facts.before}"
    if not facts.before:
        return f"How {facts.endpoint} came to {facts.after}"
    return f"How {facts.endpoint} went from {facts.before} to {facts.after}"
