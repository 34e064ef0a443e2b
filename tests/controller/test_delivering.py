"""Deliveries made by the controller: tried until they arrive or are given up, once, whoever is killed meanwhile."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.alerts.receiver import Receiver, Reply
from tests.alerts.samples import SECRET, T0, finding

from headgate.alerts.alert import Notice, raised
from headgate.alerts.channels import Secret, Webhook
from headgate.alerts.couriers.logged import LogCourier
from headgate.alerts.couriers.posted import WebhookCourier
from headgate.alerts.delivery import TRIES, Answer, Delivery, Outcome, planned
from headgate.alerts.ports import Courier
from headgate.alerts.signature import verify
from headgate.clock import HeldClock
from headgate.controller.delivering import Delivering
from headgate.errors import BadConfiguration, Unavailable
from headgate.events import Event, EventKind
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import SECOND, Micros

FAILED: Final = Answer(False, "HTTP 500 from example.com")
TAKEN: Final = Answer(True, "HTTP 200 from example.com")
Carry = Callable[[Delivery], Answer]


class Killed(BaseException):
    """The controller's process is gone; no error, for a process that is gone handles none."""


class Scripted:
    """Answers as a test says and keeps what it was handed."""

    def __init__(self, carry: Carry = lambda _: TAKEN) -> None:
        self.answer = carry
        self.carried: list[Delivery] = []

    def carry(self, delivery: Delivery, now: Micros) -> Answer:
        self.carried.append(delivery)
        return self.answer(delivery)


class Office:
    """A store with deliveries, a clock, and couriers by channel."""

    def __init__(self, **couriers: Courier) -> None:
        self.store = MemoryStore()
        self.clock = HeldClock(Micros(1000 * SECOND))
        self.couriers = couriers
        self.counted: list[tuple[str, Outcome]] = []

    def plan(self, channel: str = "ops", subject: str = "", notice: Notice = Notice.RAISED) -> str:
        alert = raised(finding(subject=subject))
        delivery = planned(alert, notice, channel, b"s", self.clock.now())
        self.store.change_delivery(delivery)
        return alert.id

    def turn(self, *, later: float = 0) -> list[Delivery]:
        self.clock.move_to(Micros(self.clock.now() + round(later * SECOND)))
        controller = self.controller()
        controller.turn()
        return controller.close()

    def controller(self) -> Delivering:
        """A new one each time, as after a restart: nothing may depend on what one remembers."""
        return Delivering(
            alerts=self.store,
            courier=self.courier,
            wall=self.clock,
            event_clock=HeldClock(T0),
            counted=lambda channel, outcome: self.counted.append((channel, outcome)),
        )

    def courier(self, name: str) -> Courier:
        if name not in self.couriers:
            raise BadConfiguration("channels.yaml", f"has no channel '{name}'")
        return self.couriers[name]

    def one(self, alert: str) -> Delivery:
        [delivery] = self.store.deliveries("default", alert)
        return delivery


def test_what_arrives_is_carried_once_and_kept() -> None:
    ops = Scripted()
    office = Office(ops=ops)
    alert = office.plan()
    assert [each.outcome for each in office.turn()] == [Outcome.DELIVERED]
    for _ in range(3):
        assert office.turn(later=60) == []
    assert len(ops.carried) == 1
    assert (office.one(alert).said, office.one(alert).tries) == (TAKEN.said, 1)
    assert office.counted == [("ops", Outcome.DELIVERED)]


def test_what_fails_is_tried_again_when_it_is_due() -> None:
    answers = iter([FAILED, FAILED, TAKEN])
    ops = Scripted(lambda _: next(answers))
    office = Office(ops=ops)
    alert = office.plan()
    office.turn()
    assert office.turn(later=1.9) == []
    office.turn(later=0.1)
    assert office.turn(later=7.9) == []
    office.turn(later=0.1)
    assert office.one(alert).outcome is Outcome.DELIVERED
    assert len({each.id for each in ops.carried}) == 1, "under one id"
    assert [each for _, each in office.counted] == [Outcome.WAITING, Outcome.WAITING, Outcome.DELIVERED]


def test_what_fails_for_ever_is_given_up_and_remembered() -> None:
    office = Office(ops=Scripted(lambda _: FAILED))
    alert = office.plan()
    for _ in range(2 * TRIES):
        office.turn(later=15_000)
    delivery = office.one(alert)
    assert (delivery.outcome, delivery.tries) == (Outcome.GIVEN_UP, TRIES)
    [event] = office.store.events("default", "late")
    assert (event.kind, event.why, event.at) == (EventKind.UNDELIVERED, FAILED.said, T0)
    assert event.details == {"alert": alert, "channel": "ops", "notice": "raised", "tries": TRIES}


def test_a_channel_that_is_gone_is_asked_once() -> None:
    ops = Scripted(lambda _: Answer(False, "HTTP 410 from example.com", final=True))
    office = Office(ops=ops)
    alert = office.plan()
    for _ in range(3):
        office.turn(later=20_000)
    assert len(ops.carried) == 1
    assert office.one(alert).outcome is Outcome.GIVEN_UP


def test_a_channel_nobody_declared_is_tried_as_long_as_somebody_may_declare_it() -> None:
    office = Office()
    alert = office.plan("chat")
    office.turn()
    assert "has no channel 'chat'" in office.one(alert).said
    office.couriers["chat"] = Scripted()
    office.turn(later=2)
    assert office.one(alert).outcome is Outcome.DELIVERED


def test_a_fault_in_one_courier_keeps_nobody_elses_deliveries() -> None:
    def broken(_: Delivery) -> Answer:
        raise ZeroDivisionError

    office = Office(ops=Scripted(broken), log=LogCourier())
    alert, other = office.plan("ops"), office.plan("log", "distance")
    office.turn()
    assert "ZeroDivisionError" in office.one(alert).said
    assert office.one(alert).outcome is Outcome.WAITING
    assert office.one(other).outcome is Outcome.DELIVERED


def test_channels_do_not_wait_for_each_other() -> None:
    """Each waits until the other is asked; one after the other, neither would come to its end."""
    barrier = threading.Barrier(2, timeout=10)

    def together(_: Delivery) -> Answer:
        barrier.wait()
        return TAKEN

    office = Office(ops=Scripted(together), chat=Scripted(together))
    office.plan("ops")
    office.plan("chat", "distance")
    assert [each.outcome for each in office.turn()] == [Outcome.DELIVERED] * 2


def test_a_channel_that_does_not_answer_holds_up_no_other() -> None:
    """It is at its try for as long as it likes; meanwhile others are told turn by turn, and it is asked once."""
    released, began = threading.Event(), threading.Event()

    def silent(_: Delivery) -> Answer:
        began.set()
        assert released.wait(30)
        return FAILED

    chat = Scripted()
    office = Office(ops=Scripted(silent), chat=chat)
    office.plan("ops")
    controller = office.controller()
    assert controller.turn() == []
    assert began.wait(30)
    for subject in ("a", "b"):
        office.plan("chat", subject)
        office.plan("ops", subject)
        while "chat" in {each.channel for each in office.store.waiting()}:
            controller.turn()
            time.sleep(0.001)
    assert len(chat.carried) == 2
    assert sorted(each.tries for each in office.store.waiting()) == [0, 0, 1]
    released.set()
    assert [each.outcome for each in controller.close()].count(Outcome.WAITING) == 1


def test_what_stops_a_channel_is_raised_by_the_turn_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(ops=Scripted(), chat=Scripted())
    office.plan("ops")
    monkeypatch.setattr(office.store, "change_delivery", away)
    controller = office.controller()
    controller.turn()
    with pytest.raises(Unavailable):
        controller.close()


def away(delivery: Delivery, event: Event | None = None) -> None:
    raise Unavailable("the store cannot be used now")


def test_a_channel_that_fails_is_asked_once_a_turn() -> None:
    ops = Scripted(lambda _: FAILED)
    office = Office(ops=ops)
    for subject in ("a", "b", "c"):
        office.plan(subject=subject)
    office.turn()
    assert len(ops.carried) == 1
    ops.answer = lambda _: TAKEN
    assert len(office.turn()) == 2
    assert len(office.turn(later=2)) == 1


def test_two_controllers_carry_a_delivery_once() -> None:
    ops = Scripted()
    office = Office(ops=ops)
    office.plan()
    both = office.controller(), office.controller()
    threads = [threading.Thread(target=each.turn) for each in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in both:
        each.close()
    assert len(ops.carried) == 1


class DeadlyStore(MemoryStore):
    """A store one of whose next writes of a delivery is the last thing its process does."""

    left = 0
    """Writes until then; 0 lets everybody live."""
    too_late = False
    """Whether the process dies after that write, and not before it."""

    def change_delivery(self, delivery: Delivery, event: Event | None = None) -> None:
        self.left -= 1
        if self.left == 0 and not self.too_late:
            raise Killed
        super().change_delivery(delivery, event)
        if self.left == 0:
            raise Killed


class Controllers(RuleBasedStateMachine):
    """Controllers that are killed around any of their writes, and a receiver that keeps ids, as ours are to."""

    @initialize()
    def begin(self) -> None:
        self.office = Office()
        self.dying = DeadlyStore()
        self.office.store = self.dying
        self.answers: list[Answer] = []
        self.acted: list[str] = []
        self.seen: set[str] = set()
        self.asked = 0
        self.office.couriers["ops"] = Scripted(self.receive)
        self.alerts: list[str] = []

    def receive(self, delivery: Delivery) -> Answer:
        self.asked += 1
        answer = self.answers.pop() if self.answers else TAKEN
        if answer.taken and delivery.id not in self.seen:
            self.seen.add(delivery.id)
            self.acted.append(delivery.alert.id)
        return answer

    @rule()
    def something_is_found(self) -> None:
        self.dying.left = 0
        self.alerts.append(self.office.plan(subject=str(len(self.alerts))))

    @rule(
        later=st.sampled_from([0, 1, 2, 10, 20_000]),
        answers=st.lists(st.sampled_from([FAILED, TAKEN]), max_size=3),
        write=st.integers(0, 6),
        too_late=st.booleans(),
    )
    def the_controller_looks(self, later: float, answers: list[Answer], write: int, too_late: bool) -> None:
        self.answers = list(answers)
        self.dying.left, self.dying.too_late = write, too_late
        try:
            self.office.turn(later=later)
        except Killed:
            self.dying.left = 0

    @invariant()
    def nobody_acts_twice(self) -> None:
        if hasattr(self, "acted"):
            assert len(self.acted) == len(set(self.acted))

    @invariant()
    def what_is_called_delivered_arrived(self) -> None:
        for alert in getattr(self, "alerts", ()):
            delivery = self.office.one(alert)
            assert delivery.outcome is not Outcome.DELIVERED or alert in self.acted
            assert delivery.tries <= TRIES

    def teardown(self) -> None:
        """Left alone, every delivery comes to its end, and tries were bounded."""
        if not hasattr(self, "alerts"):
            return
        self.dying.left, self.answers = 0, []
        for _ in range(3):
            self.office.turn(later=20_000)
        outcomes = [self.office.one(each).outcome for each in self.alerts]
        assert Outcome.WAITING not in outcomes
        assert self.asked <= TRIES * len(self.alerts)


TestControllers = Controllers.TestCase
TestControllers.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)


def test_a_receiver_hears_once_through_failures_and_a_restart(tmp_path: Path) -> None:
    """Over real HTTP: refused, then 500, then taken; every request verifies, and all have one id."""
    (tmp_path / "secret").write_text(SECRET)
    with Receiver(Reply(503), Reply(500), Reply(200)) as receiver:
        office = Office(ops=WebhookCourier(Webhook(receiver.url, Secret(file=str(tmp_path / "secret")))))
        alert = office.plan()
        for later in (0, 2, 8, 60, 60):
            office.turn(later=later)
        requests = receiver.until(3)
        now = office.clock.now()
        ids = {verify(SECRET, each.headers, each.body, now) for each in requests}
    assert len(requests) == 3
    assert ids == {office.one(alert).id}
    assert office.one(alert).outcome is Outcome.DELIVERED
