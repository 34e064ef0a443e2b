"""An alert of a running installation reaches a webhook once, signed, although its controller is killed meanwhile."""

import threading
from pathlib import Path

import pytest
from tests.alerts.receiver import Receiver, Reply
from tests.alerts.samples import SECRET, finding

from headgate.alerts.delivery import Outcome
from headgate.alerts.signature import verify
from headgate.clock import SystemClock
from headgate.events import first_broken
from headgate.testing.installation import Installation

pytestmark = pytest.mark.full


def declared(installation: Installation, url: str, folder: Path) -> None:
    """One endpoint, and one webhook whose secret is in a file."""
    (folder / "secret").write_text(SECRET)
    words = f"{{kind: webhook, url: '{url}', secret: {{file: {folder / 'secret'}}}}}"
    installation.home.channels.write_text(f"channels: {{ops: {words}}}\n")
    installation.serve("late", {installation.linear(): 1.0})


def reported(installation: Installation) -> str:
    with installation.open() as hg:
        [alert] = hg.alerts.report([finding(at=SystemClock().now())])
    return alert.id


def outcomes(installation: Installation, alert: str) -> dict[str, Outcome]:
    with installation.open() as hg:
        return {each.channel: each.outcome for each in hg.alerts.show(alert).deliveries}


def test_an_alert_arrives_once_through_a_killed_controller(tmp_path: Path) -> None:
    """The controller dies while the receiver has the request and has not answered: nobody knows whether it arrived."""
    held = threading.Event()
    with (
        Receiver(Reply(released=held), Reply(200)) as receiver,
        Installation(tmp_path / "h") as installation,
    ):
        declared(installation, receiver.url, tmp_path)
        installation.start()
        alert = reported(installation)
        receiver.until(1)
        installation.kill("controller")
        receiver.until(2)
        both = {"log": Outcome.DELIVERED, "ops": Outcome.DELIVERED}
        installation.until(lambda: outcomes(installation, alert) == both, "what arrived is known to have arrived")
        standing = '{endpoint="late",project="default",severity="warning"}'
        gauge = "headgate_alerts_standing"
        installation.until(lambda: installation.metric(gauge) == {standing: 1.0}, "Prometheus sees that it stands")
        again = reported(installation)
        installation.kill("controller")
        installation.settled()
        assert again == alert
        requests = receiver.until(2)
        now = SystemClock().now()
        acted = {verify(SECRET, each.headers, each.body, now) for each in requests}
        assert len(requests) == 2, "what arrived is sent no more, and one finding found again is no second alert"
        assert len(acted) == 1, "who looks at ids acts once"
        assert len({each.body for each in requests}) == 1
        assert f"[warning] late: the scores of late moved (alert {alert})" in installation.log
        assert SECRET not in installation.log
        with installation.open() as hg:
            assert hg.alerts.every("late")[0].times == 2
            assert first_broken(hg.audit()) is None
            hg.alerts.clear("late", "score_drift")
        assert len(receiver.until(3)) == 3
        installation.until(lambda: installation.metric(gauge) == {standing: 0.0}, "and that it is over")
