"""Why a model failed is in the log now and then, in its own words."""

import pytest

from headgate.errors import DeadlineExceeded, RuntimeFailed
from headgate.gateway.complaints import QUIET_SECONDS, Complaints


def test_each_version_complains_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    moment = 0.0
    complaints = Complaints(lambda: moment)
    for _ in range(100):
        complaints.hear("m:1", RuntimeFailed("the model raised ValueError: one"))
    complaints.hear("m:2", RuntimeFailed("the model raised ValueError: two"))
    complaints.hear("m:3", DeadlineExceeded("nobody waits for it any more"))
    moment = QUIET_SECONDS
    complaints.hear("m:1", RuntimeFailed("the model raised ValueError: three"))
    said = [record.getMessage() for record in caplog.records]
    assert [each.partition(" (")[0] for each in said] == [
        "m:1 failed on some rows: the model raised ValueError: one",
        "m:2 failed on some rows: the model raised ValueError: two",
        "m:1 failed on some rows: the model raised ValueError: three",
    ]
