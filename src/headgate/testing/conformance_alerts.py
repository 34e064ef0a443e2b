"""What every store of alerts must do, as checks anybody can run on theirs; `conformance_store` says how."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, Protocol

import msgspec

from headgate.alerts.alert import Alert, Notice, Silence, acknowledged, found_again, over, raised
from headgate.alerts.delivery import Answer, Delivery, answered, begun, planned
from headgate.alerts.finding import Figure, Finding, Link, Severity
from headgate.alerts.ports import AlertStore
from headgate.events import Event, EventKind
from headgate.registry.ports import EventLog
from headgate.testing.conformance_store import expect, refuses
from headgate.vocabulary import Micros


class Store(AlertStore, EventLog, Protocol):
    """Alerts, and the history that every change of them is in."""


def an_alert(endpoint: str = "late", subject: str = "", *, project: str = "default", at: int = 5) -> Alert:
    """One that was just raised, with every part a finding may have."""
    finding = Finding(
        project=project,
        endpoint=endpoint,
        monitor="score_drift",
        subject=subject,
        severity=Severity.CRITICAL,
        what="the scores moved ☃",
        evidence=(Figure("é", "0.5", "0.1"),),
        cause="a",
        advice="b",
        links=(Link("report", "https://example.com"),),
        at=Micros(at),
        until=Micros(2**53),
    )
    return raised(finding)


def a_delivery(alert: Alert, channel: str = "ops", at: int = 5) -> Delivery:
    """One that is about to be tried."""
    return planned(alert, Notice.RAISED, channel, b"secret", Micros(at))


def an_event(kind: EventKind = EventKind.ALERTED) -> Event:
    """What is remembered of a change."""
    return Event(Micros(5), kind, "default", "late", "ann")


def an_alert_is_kept_with_all_that_belongs_to_it(store: Store) -> None:
    """An alert, what is remembered of it and what is to be told of it are there together, every field."""
    alert = an_alert()
    deliveries = [a_delivery(alert), a_delivery(alert, "chat", at=4)]
    store.change_alert(alert, events=[an_event()], deliveries=deliveries)
    expect(store.alerts() == [alert] == store.alerts("default", "late", standing=True), "it is read as it was kept")
    expect(store.last_alert("default", alert.key) == alert, "by its key too")
    expect(store.deliveries("default", alert.id) == deliveries[::-1] == store.waiting(), "in the order of planning")
    expect(store.events("default") == [an_event()], "with its event")
    expect(store.alerts("second") == [] and store.last_alert("second", alert.key) is None, "nothing for strangers")
    expect(store.deliveries("second", alert.id) == [], "of deliveries neither")


def one_change_of_an_alert_at_a_time(store: Store) -> None:
    """Of two who change one revision the second is refused, and nothing of what it wanted is kept."""
    alert = an_alert()
    store.change_alert(alert)
    again = found_again(alert, alert.finding)
    expect(refuses(partial(store.change_alert, alert)), "a second beginning is refused")
    expect(refuses(partial(store.change_alert, found_again(again, alert.finding))), "so is a revision left out")
    store.change_alert(again)
    late = acknowledged(alert, "ann", Micros(9))
    change = partial(store.change_alert, late, events=[an_event()], deliveries=[a_delivery(alert)])
    expect(refuses(change), "who looked long ago changes nothing")
    expect(store.alerts() == [again] and store.waiting() == [] and store.events("default") == [], "nothing at all")
    elsewhere = msgspec.structs.replace(alert, episode=2)
    expect(refuses(partial(store.change_alert, elsewhere)), "no second alert of a key stands beside the first")


def a_refused_delivery_takes_its_alert_with_it(store: Store) -> None:
    """What is to be told is planned once; who plans it again has looked long ago."""
    alert = an_alert()
    store.change_alert(alert, deliveries=[a_delivery(alert)])
    again = found_again(alert, alert.finding)
    expect(refuses(lambda: store.change_alert(again, deliveries=[a_delivery(alert)])), "it is there already")
    expect(store.alerts() == [alert] and len(store.waiting()) == 1, "and the alert is as it was")


def alerts_in_order(store: Store) -> None:
    """Listings go by project and endpoint, the alert raised last first; past ones are told apart."""
    kept = [an_alert("b", at=5), an_alert("a", at=6), an_alert("a", "x", at=7), an_alert("a", project="p")]
    for each in kept:
        store.change_alert(each)
    expect(store.alerts() == [kept[2], kept[1], kept[0], kept[3]], "by project, endpoint and age")
    ended = over(kept[1], Micros(9))
    store.change_alert(ended)
    expect(store.alerts("default", "a") == [kept[2], ended], "what is over stays")
    expect(store.alerts("default", "a", standing=True) == [kept[2]], "and stands no more")


def episodes_follow_each_other(store: Store) -> None:
    """A key's next alert begins when the one before is over; the newest is found by the key."""
    first = an_alert()
    store.change_alert(first)
    store.change_alert(over(first, Micros(9)))
    for episode in range(2, 12):
        each = raised(first.finding, episode)
        store.change_alert(each)
        expect(store.last_alert("default", first.key) == each, "the newest")
        store.change_alert(over(each, Micros(9)))
    expect(len(store.alerts("default")) == 11, "every one is kept")


def silences_replace(store: Store) -> None:
    """An endpoint has one silence, the last one said; each is remembered."""
    first = Silence("default", "late", Micros(1), Micros(2**53), "ann", "a migration ☃")
    store.put_silence(first, an_event(EventKind.SILENCED))
    store.put_silence(Silence("p", "late", Micros(1), Micros(2), "ann", "x"), an_event(EventKind.SILENCED))
    store.put_silence(Silence("default", "a", Micros(1), Micros(2), "ann", "x"), an_event(EventKind.SILENCED))
    expect(store.silences("default")[1] == first, "every field survives")
    shorter = msgspec.structs.replace(first, until=Micros(3), by="bob")
    store.put_silence(shorter, an_event(EventKind.SILENCED))
    expect([each.endpoint for each in store.silences()] == ["a", "late", "late"], "by project and endpoint")
    expect(store.silences("default")[1] == shorter, "the last one holds")
    expect(len(store.events("default")) == 4, "and each is remembered")


def a_delivery_is_tried_by_one_at_a_time(store: Store) -> None:
    """Of two controllers that begin a try of one delivery one may; what came of it ends it."""
    alert = an_alert()
    first = a_delivery(alert)
    store.change_alert(alert, deliveries=[first])
    with ThreadPoolExecutor(4) as pool:
        mine = begun(first, Micros(9))
        refused = list(pool.map(lambda _: refuses(lambda: store.change_delivery(mine)), range(8)))
    expect(refused.count(False) == 1 and store.waiting() == [mine], "one began")
    done = answered(mine, Answer(False, "HTTP 410", final=True), Micros(10))
    store.change_delivery(done, an_event(EventKind.UNDELIVERED))
    expect(store.waiting() == [] and store.deliveries("default", alert.id) == [done], "it waits no more and is kept")
    expect(len(store.events("default")) == 1, "with its event")
    expect(refuses(lambda: store.change_delivery(done, an_event())), "which nobody adds again")
    expect(len(store.events("default")) == 1, "not even the event")


def what_was_long_over_is_forgotten(store: Store) -> None:
    """Alerts and deliveries of before a moment go, but the last alert of each key, and what belongs to others."""
    first, other = an_alert(), an_alert("other")
    second = raised(first.finding, 2)
    for each in (first, second, other):
        store.change_alert(each, deliveries=[a_delivery(each)])
        store.change_alert(over(each, Micros(9)))
    for waiting in store.deliveries("default", second.id):
        tried = begun(waiting, Micros(9))
        store.change_delivery(tried)
        store.change_delivery(answered(tried, Answer(True, "HTTP 200"), Micros(9)))
    expect(store.forget_alerts("default", "late", Micros(9)) == 0, "what was over at the moment stays")
    expect(store.forget_alerts("default", "late", Micros(10)) == 1, "what was over before goes")
    last = store.last_alert("default", first.key)
    expect(last is not None and last.episode == 2, "but the one by which the next is numbered")
    expect([each.id for each in store.alerts("default")] == [second.id, other.id], "and another endpoint's")
    expect(store.deliveries("default", first.id) == [] == store.deliveries("default", second.id), "with deliveries")
    expect([each.alert.id for each in store.waiting()] == [other.id], "but those that wait of what stays")
    expect(store.forget_alerts("default", "late", Micros(10)) == 0, "there is nothing more")


CHECKS: Final[tuple[Callable[[Store], None], ...]] = (
    an_alert_is_kept_with_all_that_belongs_to_it,
    one_change_of_an_alert_at_a_time,
    a_refused_delivery_takes_its_alert_with_it,
    alerts_in_order,
    episodes_follow_each_other,
    silences_replace,
    a_delivery_is_tried_by_one_at_a_time,
    what_was_long_over_is_forgotten,
)
