"""The state machine under every order of verdicts, orders and clocks."""

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from headgate.rollouts.decide import decide
from headgate.rollouts.guards import usual_guards
from headgate.rollouts.plan import Analysis, Approve, Assist, OnHorizon, Partial, Pause, Plan, SetWeight, Shadow, Step
from headgate.rollouts.state import Action, Move, Phase, State, begin, moved, replayed, weights
from headgate.vocabulary import Micros, Task, Verdict

STEPS = st.one_of(
    st.builds(Shadow, share=st.floats(0, 1)),
    st.builds(SetWeight, weight=st.floats(0, 1)),
    st.builds(Pause, length=st.integers(0, 100).map(Micros)),
    st.just(Analysis()),
    st.just(Approve()),
    st.just(Assist()),
    st.just(Partial(0.02)),
)
GUARDS = usual_guards(Task.BINARY, labels=True)
PLANS = st.builds(
    Plan,
    endpoint=st.just("late"),
    candidate=st.just("m:2"),
    steps=st.lists(STEPS, max_size=6).map(tuple),
    guards=st.sampled_from([(), GUARDS, (msgspec.structs.replace(GUARDS[0], dry_run=True),)]),
    horizon=st.integers(1, 500).map(Micros),
    on_horizon=st.sampled_from(OnHorizon),
    progress_deadline=st.integers(1, 200).map(Micros),
    people=st.booleans(),
)
ORDERS = (Action.STEP, Action.PAUSE, Action.RESUME, Action.PROMOTE, Action.ABORT)


class Rollouts(RuleBasedStateMachine):
    """A controller that looks now and then, people who order, a clock that may jump back."""

    plan: Plan
    state: State

    @initialize(plan=PLANS)
    def start(self, plan: Plan) -> None:
        self.plan, self.now = plan, Micros(0)
        self.state = begin(plan, self.now)
        self.moves: list[Move] = []

    @rule(by=st.integers(-50, 150))
    def time_passes(self, by: int) -> None:
        self.now = Micros(self.now + by)

    @rule(verdict=st.sampled_from(Verdict), confidence=st.none() | st.floats(0.5, 1))
    def the_controller_looks(self, verdict: Verdict, confidence: float | None) -> None:
        before = self.state
        move = decide(self.plan, before, verdict, self.now, confidence)
        again = decide(self.plan, before, verdict, self.now, confidence)
        assert again == move, "a controller killed in between decides the same"
        if move is None:
            return
        self.apply(move)
        if verdict is Verdict.ROLL_BACK:
            assert self.state.phase is Phase.ROLLED_BACK
        if verdict is Verdict.UNDECIDED and self.plan.guarded:
            assert self.state.phase is not Phase.PROMOTED, "undecided never promotes"
        if verdict is not Verdict.PROMOTE and before.step < len(self.plan.steps):
            waits = isinstance(self.current(before), Analysis | Approve)
            waits |= isinstance(self.current(before), Partial) and confidence is None
            assert self.state.step == before.step or not waits, "no step forward on undecided, nor past a person"
        if verdict is Verdict.BROKEN:
            assert self.state.step == before.step
            assert self.state.weight <= before.weight

    @rule(action=st.sampled_from(ORDERS))
    def somebody_orders(self, action: Action) -> None:
        self.apply(Move(action, self.now, "because"))

    def apply(self, move: Move) -> None:
        before = self.state
        self.state = moved(self.plan, before, move)
        self.moves.append(move)
        if before.ended:
            assert self.state == before, "what has ended stays as it is"
        steps = self.plan.steps
        if move.action is Action.STEP and before.step < self.state.step < len(steps):
            entered = steps[self.state.step]
            if isinstance(entered, SetWeight):
                assert (self.state.weight, self.state.confidence) == (entered.weight, 0), "a step is what it says"

    def current(self, state: State) -> Step:
        return self.plan.steps[state.step]

    @invariant()
    def weights_sum_to_one(self) -> None:
        found = weights(self.state, "m:1", "m:2")
        assert sum(found.values()) == 1
        assert all(0 <= each <= 1 for each in found.values())

    @invariant()
    def a_candidate_that_was_turned_away_has_no_traffic(self) -> None:
        if self.state.phase in (Phase.ABORTED, Phase.ROLLED_BACK):
            assert (self.state.weight, self.state.shadow) == (0, 0)
            assert (self.state.suggests, self.state.confidence) == (False, 0)

    @invariant()
    def nobody_decides_by_a_confidence_that_was_never_found(self) -> None:
        if self.state.confidence > 0:
            assert any(each.confidence == self.state.confidence for each in self.moves)

    @invariant()
    def the_history_gives_the_state_again(self) -> None:
        assert replayed(self.plan, Micros(0), self.moves) == self.state

    @invariant()
    def it_comes_back_from_where_it_was_kept(self) -> None:
        assert msgspec.json.decode(msgspec.json.encode(self.state), type=State) == self.state
        assert msgspec.json.decode(msgspec.json.encode(self.plan), type=Plan) == self.plan


TestRollouts = Rollouts.TestCase
