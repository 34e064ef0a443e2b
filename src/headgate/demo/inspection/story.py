"""The demo from beginning to end: people decide, a model looks on, takes over, and a worse one fails to.

Called by ``headgate demo inspection``; every step uses the same doors a user has.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from headgate.app.facade import Headgate, open_home
from headgate.demo.http import HttpPool
from headgate.demo.inspection import plans
from headgate.demo.inspection.factory import Factory, Tally
from headgate.demo.inspection.learn import contract_of, photograph, teach, write_model
from headgate.demo.inspection.light import Shift
from headgate.demo.inspection.material import Material
from headgate.demo.serving import fresh_home, serving
from headgate.errors import Unavailable
from headgate.rollouts.comparison.page import as_page
from headgate.rollouts.comparison.values import Comparison
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Phase
from headgate.rollouts.text import told
from headgate.vocabulary import DAY, HOUR, Micros

START: Final = Micros(1_772_431_200 * 1_000_000)
"""2026-03-02T06:00:00Z, a Monday: the day shift begins."""
PER_HOUR: Final = 90
PER_HOUR_QUICK: Final = 30
"""Pieces that come along in an hour."""
TAUGHT: Final = 1000
HELD_OUT: Final = 300
REFERENCE: Final = 300
"""Photographs a version is taught with, those it is judged by before it may be deployed, and those kept beside it."""
CONNECTIONS: Final = 2
"""Requests at once: cameras on a line take turns, and a shadow that reads pictures keeps up with so many."""
SEED: Final = 7
_WAITING: Final = (Phase.PAUSED, Phase.HELD)

Said = Callable[[str], None]
"""Told one line whenever something happens."""


@dataclass(frozen=True, slots=True)
class Act:
    """One rollout and what came of it."""

    rollout: Rollout
    comparison: Comparison
    touched: int
    """Pieces the candidate decided before the rollout ended."""
    page: Path
    """The comparison, to be read in a browser."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything the demo tells."""

    material: str
    gates: dict[str, float | None]
    """Accuracy of each version on the photographs it was judged by before it was deployed."""
    acts: tuple[Act, ...]
    tally: Tally
    seconds: float
    home: Path


def tell(root: Path, material: Material, *, quick: bool, said: Said) -> Outcome:
    """The whole demo in directory `root`. Raises Unavailable when a rollout does not come to an end."""
    began = time.monotonic()
    home = fresh_home(root)
    with open_home(home) as hg:
        said(f"teaching two networks; pictures: {material.told}")
        gates = _prepare(hg, material, home)
        per_hour = PER_HOUR_QUICK if quick else PER_HOUR
        said(f"serving; {per_hour} phones an hour come along, and people decide on all of them")
        with serving(home, home / "up.log", "--workers", "1") as running:
            acts, tally = asyncio.run(_run(hg, material, (running.port, running.control_port), per_hour, said))
    return Outcome(material.told, gates, acts, tally, time.monotonic() - began, home)


def _prepare(hg: Headgate, material: Material, home: Path) -> dict[str, float | None]:
    """Both versions registered and proved, and the endpoint on which people decide applied."""
    both, day = (Shift.DAY, Shift.NIGHT), (Shift.DAY,)
    gates = {
        plans.FIRST: _proved(hg, material, home, plans.FIRST, both, knows_light=True),
        plans.BAD: _proved(hg, material, home, plans.BAD, day, knows_light=False),
    }
    hg.apply(plans.ENDPOINT_FILE, why="people decide, as they always did")
    return gates


def _proved(
    hg: Headgate, material: Material, home: Path, ref: str, shifts: Sequence[Shift], *, knows_light: bool
) -> float | None:
    """Version `ref` taught with photographs of `shifts`, registered, and judged by others of them; its accuracy."""
    archive = photograph(material.archive, TAUGHT, shifts, SEED + 1)
    network = teach(archive, material.classes, knows_light=knows_light)
    hg.register(
        plans.MODEL,
        write_model(network, home / "taught" / ref.replace(":", "-")),
        reference=archive.table.slice(0, REFERENCE),
        contract=contract_of(material.classes),
        code="headgate.demo.inspection.learn",
        trust=True,  # the class in the folder is the demo's own
        why=f"photographs of the {' and the '.join(shifts)} shift",
    )
    aside = photograph(material.aside, HELD_OUT, shifts, SEED + 2)
    return hg.evaluate(ref, aside.table, gates=[plans.GATE]).report.estimates["accuracy"].value


async def _run(
    hg: Headgate, material: Material, ports: tuple[int, int], per_hour: int, said: Said
) -> tuple[tuple[Act, ...], Tally]:
    """Both acts; the second only where the first has made the model the one that decides."""
    async with (
        HttpPool("127.0.0.1", ports[0], CONNECTIONS) as gateway,
        HttpPool("127.0.0.1", ports[1], 1) as control,
    ):
        factory = Factory(gateway, control, plans.ENDPOINT, material, per_hour=per_hour, start=START, seed=SEED)
        await factory.settle()
        said(f"the first act: {plans.FIRST} beside people, whom it shall relieve")
        acts = [await _act(hg, factory, plans.AGAINST_PEOPLE, said)]
        if acts[0].rollout.state.phase is Phase.PROMOTED:
            await _until_morning(factory)
            said(f"the second act: {plans.BAD} beside {plans.FIRST}; it was taught by day")
            acts.append(await _act(hg, factory, plans.AGAINST_THE_MODEL, said))
        return tuple(acts), factory.tally


async def _until_morning(factory: Factory) -> None:
    """Work on until the day shift begins."""
    while (factory.now - START) % DAY:
        await factory.work_until(Micros(factory.now + HOUR))


async def _act(hg: Headgate, factory: Factory, plan: str, said: Said) -> Act:
    """Deploy what `plan` says, and work until it has ended by itself; its horizon sees to it that it does not go on."""
    rollout = hg.deploy(plan)
    await factory.settle()
    candidate = rollout.plan.candidate
    before = factory.tally.decided[candidate].pieces
    while not rollout.state.ended:
        if rollout.state.phase in _WAITING:
            see = f"`headgate rollout status {plans.ENDPOINT} --home {hg.home.root}`"
            raise Unavailable(f"the rollout of {candidate} waits for a person: {rollout.state.why}; see {see}")
        await factory.work_until(Micros(factory.now + HOUR))
        known, rollout = rollout, hg.rollouts.history(plans.ENDPOINT)[-1]
        for place in range(len(known.moves), len(rollout.moves)):
            then = msgspec.structs.replace(rollout, moves=rollout.moves[: place + 1])
            said(f"  {_clock(then.moves[-1].at)}  {then.moves[-1].why}; {told(then)}")
    return _told(hg, rollout, factory.tally.decided[candidate].pieces - before)


def _told(hg: Headgate, rollout: Rollout, touched: int) -> Act:
    comparison = hg.rollouts.report(plans.ENDPOINT)
    page = hg.home.root / f"report-{rollout.number}.html"
    page.write_text(as_page(comparison), encoding="utf-8")
    return Act(rollout, comparison, touched, page)


def _clock(moment: Micros) -> str:
    """Which day of the story, and the hour.

    >>> _clock(Micros(START + 26 * HOUR))
    'day 2, 08:00'
    """
    hours = (moment - START // DAY * DAY) // HOUR
    return f"day {hours // 24 + 1}, {hours % 24:02}:00"
