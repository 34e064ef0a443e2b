"""What a comparison tells, as values: `compare` makes them, `text` and `page` show them, msgspec turns them into JSON.

The two that answered are called live and candidate, whoever they are. A difference is always the candidate less the
live one. An `Estimate` here has an interval that may be looked at as often as one likes while inputs are added.
"""

import msgspec

from headgate.evaluation.estimate import Estimate
from headgate.monitors.windows import Quantiles
from headgate.vocabulary import Micros

Value = str | int | float | bool | None


class Failure(msgspec.Struct, frozen=True):
    """Why one of the two did not answer, and how many inputs."""

    reason: str
    inputs: int


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two."""

    name: str
    """What tables call it: its version if it has but one, else its role."""
    role: str
    versions: tuple[str, ...]
    """Which versions it stood for, sorted."""
    asked: int
    """Inputs it has a record of."""
    answered: int
    """Inputs to which it gave an answer of its own."""
    failures: tuple[Failure, ...] = ()
    """Most frequent first; their inputs add up to what was asked and not answered."""

    @property
    def failed(self) -> int:
        """Inputs it was asked about and did not answer."""
        return self.asked - self.answered


class Disagreement(msgspec.Struct, frozen=True):
    """The live one said one class and the candidate another."""

    live: str
    candidate: str
    inputs: int


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """What both said, class by class."""

    classes: tuple[str, ...]
    """In the contract's order; rare ones are together at the end where there are many."""
    inputs: tuple[tuple[int, ...], ...]
    """A row per class of the live one, a column per class of the candidate, both in the order of `classes`."""
    disagreements: tuple[Disagreement, ...]
    """Each direction for itself, the most frequent first."""
    rarer: int = 0
    """Inputs with disagreements that are too rare to be listed."""


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """How far a number of the candidate's lies from the live one's, over all inputs that have both."""

    of: str
    """Which number, such as ``prediction`` or ``score of yes``."""
    inputs: int
    mean: float
    quantiles: tuple[tuple[float, float], ...]
    """(per cent of the inputs, the difference that so many do not exceed)."""
    width: float
    """Of a bin, in the number's unit; 0 where all differences are nil and there is but the middle bin."""
    bins: tuple[int, ...]
    """Inputs per bin, the middle one around a difference of 0; the outermost hold all beyond."""


class Right(msgspec.Struct, frozen=True, kw_only=True, tag="classes"):
    """Who was right where the label is known."""

    both: int
    only_live: int
    only_candidate: int
    neither: int
    live_error: float
    """Share of the labelled inputs on which it was wrong, 0 to 1."""
    candidate_error: float
    difference: Estimate
    """Of the two errors, on the same inputs; below 0 speaks for the candidate."""

    @property
    def labelled(self) -> int:
        """Inputs judged."""
        return self.both + self.only_live + self.only_candidate + self.neither


class Nearer(msgspec.Struct, frozen=True, kw_only=True, tag="numbers"):
    """Who was nearer to the label where it is known."""

    live: int
    """Inputs on which it was nearer."""
    candidate: int
    alike: int
    """Inputs on which both were as far off."""
    live_error: float
    """Mean absolute error, in the label's unit."""
    candidate_error: float
    difference: Estimate
    """Of the two errors, on the same inputs; its interval is one for many inputs, since nothing bounds an error."""
    balance: Estimate
    """Share of the inputs on which the candidate was farther off, less that on which it was nearer, -1 to 1."""

    @property
    def labelled(self) -> int:
        """Inputs judged."""
        return self.live + self.candidate + self.alike


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """Both on the inputs that share one value, or one range, of a field."""

    field: str
    value: str
    inputs: int
    agreement: Estimate
    stands_out: bool
    """Whether they disagree more here than over all inputs, beyond what chance explains."""
    shift: float | None
    """Mean difference of predictions, or of the positive class's scores; None where there is no such number."""
    labelled: int
    loss: Estimate | None
    """As `Right.difference` or `Nearer.balance`; None where too few are labelled."""

    @property
    def loses(self) -> bool:
        """Whether the candidate is worse here, beyond what chance explains."""
        return self.loss is not None and self.loss.low is not None and self.loss.low > 0


class Slices(msgspec.Struct, frozen=True, kw_only=True):
    """Where the two disagree most."""

    worst: tuple[Slice, ...] = ()
    """By how much they disagree for certain, then by how much they seem to; most first."""
    intervals: int = 0
    """How many are told together: each has an equal share of the error rate, so that all of them hold at once."""
    smallest: int = 0
    """Inputs below which a slice is left out."""
    left_out: int = 0
    """Slices with fewer."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One input to read, among those the two disagree most about."""

    input_id: str
    at: Micros
    live: Value
    candidate: Value
    live_score: float | None
    """Of the positive class, or of the class it chose among several."""
    candidate_score: float | None
    label: Value
    """None while it is not known."""
    features: dict[str, Value]
    """Public ones; empty where they were not kept."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """How long one of the two took, over the inputs that both answered."""

    compute_ms: Quantiles | None = None
    """Next to the model, for the whole call an input was in; None where nothing was measured, as of people."""
    latency_ms: Quantiles | None = None
    """From the request's last byte to the record of the answer."""
    compute_s_per_1000: float | None = None
    """Seconds of compute for 1000 inputs: at most that, as calls that joined several requests count once for each."""


class Reviewer(msgspec.Struct, frozen=True, kw_only=True):
    """One person who decided."""

    name: str
    decided: int
    """Inputs."""
    agreement: float | None
    """Share of them on which the model said the same, 0 to 1; None where it said nothing."""
    error: float | None
    """Share of those whose label is known on which the person was wrong; None without labels."""


class Alone(msgspec.Struct, frozen=True, kw_only=True):
    """What the model decided by itself, in the place of people."""

    decided: int
    """Inputs."""
    labelled: int
    """Those whose truth the world told."""
    error: float | None
    """Share of these on which the model was wrong, 0 to 1; None of none."""
    audited: int
    """Those that a person decided too."""
    agreement: float | None
    """Share of these on which the person said the same; None of none."""


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """The people who decided, beside the model and beside each other."""

    reviewers: tuple[Reviewer, ...]
    """Those who decided most first."""
    people: int
    """How many there are."""
    kappa: float | None
    """Agreement of people and model beyond chance, at most 1; None where there is nothing to say."""
    twice: int
    """Inputs that two people decided."""
    agreement: float | None
    """Share of these on which they agreed, 0 to 1."""
    people_kappa: float | None
    """Their agreement beyond chance: what a model can be held to."""
    alone: Alone | None = None
    """None where the model decided nothing by itself."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Everything told of two that answered the same inputs."""

    task: str
    live: Side
    candidate: Side
    alpha: float
    """Chance that an interval ever leaves out the truth, 0 to 1; all intervals of slices together have as much."""
    first: Micros | None = None
    """Event time of the first input; None where there is none."""
    last: Micros | None = None
    inputs: int
    """Inputs either has a record of: both, only_live, only_candidate and neither."""
    both: int = 0
    """Inputs that both answered; all that follows is about these."""
    only_live: int = 0
    only_candidate: int = 0
    neither: int = 0
    labelled: int = 0
    """Of those both answered, inputs whose label is known."""
    agreement: Estimate = Estimate("agreement", None, None, None, 0)
    """Share of inputs on which both said the same, 0 to 1."""
    tolerance: float | None = None
    """Regression: two numbers that lie no further apart are the same, in the prediction's unit."""
    confusion: Confusion | None = None
    """Classification, once there is an input."""
    differences: Differences | None = None
    """None where there is no number to subtract."""
    judged: Right | Nearer | None = None
    """None until there are labels."""
    reviewed: Reviewed | None = None
    """Where the live ones are people."""
    slices: Slices = Slices()
    examples: tuple[Example, ...] = ()
    """Those farthest apart first."""
    live_cost: Cost = Cost()
    candidate_cost: Cost = Cost()
    compute_ratio: float | None = None
    """The candidate's seconds of compute as a multiple of the live one's."""
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know, most pressing first."""
