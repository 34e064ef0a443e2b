"""What is on its way through a gateway: a caller's request, and the rows of one tick that share a runtime call."""

from collections.abc import Callable, Sequence
from time import perf_counter_ns

from headgate.errors import DeadlineExceeded, PassingError, Violation
from headgate.gateway.reading import Reading
from headgate.gateway.view import Seat, View
from headgate.journal.records import Answer, Input
from headgate.runtimes.ports import Array
from headgate.vocabulary import Role

Outcome = Answer | Violation | PassingError


class Room:
    """How many rows a gateway has admitted and not yet answered."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting = 0


class Ask:
    """One request from its last byte to its reply. Its door reads it when `finish` is called, once."""

    __slots__ = (
        "arrays", "arrived", "deadline", "finish", "first_id", "journalled", "open", "outcomes", "patience", "pinned",
        "reading", "refusal", "request_id", "room", "unsettled", "view",
    )  # fmt: skip

    def __init__(
        self, view: View, reading: Reading, finish: Callable[["Ask"], None], pinned: Seat | None = None
    ) -> None:
        self.view = view
        self.reading = reading
        self.finish = finish
        self.pinned = pinned
        """The version the caller named."""
        self.arrived = perf_counter_ns()
        deadline_ms = view.traffic.policy.deadline_ms
        if reading.deadline_ms is not None and reading.deadline_ms < deadline_ms:
            deadline_ms = reading.deadline_ms  # type: ignore[assignment] # a fraction of a millisecond is fine
        self.deadline = self.arrived + int(deadline_ms * 1_000_000)
        """On the scale of `perf_counter_ns`, like `arrived`."""
        self.patience = (self.arrived + self.deadline) >> 1
        """When a version that is not live has had its time and the live one must answer."""
        self.unsettled = len(reading.rows)
        self.outcomes: list[Outcome | None] = [None] * self.unsettled
        self.arrays: dict[int, dict[str, Array]] = {}
        """A tensor model's raw outputs by row."""
        self.request_id = ""
        self.first_id = ""
        """The first row's input id as text."""
        self.refusal: PassingError | None = None
        """Why nothing of it is answered after all."""
        self.room: Room | None = None
        """Where it counts as waiting, once admitted."""
        self.journalled = True
        self.open = True
        """Whether the caller still waits."""

    def settle_row(self) -> None:
        """One row more is answered and remembered; the last one lets the reply go."""
        self.unsettled -= 1
        if not self.unsettled:
            self.close()

    def expire(self) -> None:
        """The caller's time ran out."""
        self.refusal = DeadlineExceeded("no answer within the deadline; state a longer deadline_ms or ask for less")
        self.close()

    def close(self) -> None:
        """Reply, if that was not done before."""
        if self.open:
            self.open = False
            if self.room is not None:
                self.room.waiting -= len(self.outcomes)
                self.view.waiting -= len(self.outcomes)
            self.finish(self)


class Share:
    """Rows one version answers in one call: parallel lists, one entry per row."""

    __slots__ = (
        "asks", "assigned", "fallback", "inputs", "left", "off_loop", "probability", "role", "rows", "seat", "view",
    )  # fmt: skip

    def __init__(self, view: View, assigned: Seat, role: Role, probability: float) -> None:
        self.view = view
        self.assigned = assigned
        self.seat = assigned
        """Who is asked now; the live version once the assigned one failed."""
        self.role = role
        self.probability = probability
        self.fallback = ""
        self.off_loop = False
        """Whether time passes while it is answered, so that callers may leave meanwhile."""
        self.left: set[int] = set()
        """Places of rows that somebody else answers by now."""
        self.asks: list[Ask] = []
        self.inputs: list[Input] = []
        self.rows: list[tuple[object, ...]] = []
        """As the reader gave them."""

    def part(self, places: Sequence[int]) -> "Share":
        """A share of the rows at `places`."""
        part = Share(self.view, self.assigned, self.role, self.probability)
        part.seat, part.fallback = self.seat, self.fallback
        part.asks = [self.asks[place] for place in places]
        part.inputs = [self.inputs[place] for place in places]
        part.rows = [self.rows[place] for place in places]
        return part

    def waited_for(self) -> bool:
        """Whether any of its callers still waits for it."""
        return any(ask.open and place not in self.left for place, ask in enumerate(self.asks))

    def may_fall_back(self) -> bool:
        """Whether the live version may answer in its assigned version's stead: never for a version the caller named."""
        return self.seat is self.assigned and self.role is Role.CANARY
