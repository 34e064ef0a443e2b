"""What channels are told: complete, the same at every try, and without marks that somebody else reads."""

import json

import pytest
from tests.alerts.samples import delivery, finding, full

from headgate.alerts.alert import Notice
from headgate.alerts.told import as_chat, as_json, text, title


@pytest.mark.parametrize(
    ("notice", "begins"),
    [
        (Notice.RAISED, "[critical] late: "),
        (Notice.WORSE, "[now critical] late: "),
        (Notice.AGAIN, "[still critical] late: "),
        (Notice.OVER, "[over] late: "),
    ],
)
def test_the_title_says_how_bad_and_where(notice: Notice, begins: str) -> None:
    assert title(delivery(full(), notice)).startswith(begins)


def test_a_title_is_one_short_line_of_what_can_be_shown() -> None:
    line = title(delivery(finding(what="a\nb\x1b[31m" + "x" * 299, project="shop")))
    assert line.startswith("[warning] shop/late: a b?[31mxxx")
    assert len(line) == 200


def test_the_text_has_everything() -> None:
    said = text(delivery(full()))
    for part in (
        "distance: 0.31 (0.27 to 0.35) (limit 0.10)",
        "rows: 5,000",
        "Likely cause: a & b changed",
        "What to do: look at <dep_delay>",
        "report: https://example.com/report?a=1&b=2",
        "score_drift, carrier = <AA>",
        "Stands since 2013-07-01T00:00:00Z; found once",
        f"headgate alerts acknowledge {full().key}-1",
    ):
        assert part in said
    assert "Likely cause" not in text(delivery())


def test_the_body_of_a_webhook_is_one_document_with_every_part() -> None:
    sent = as_json(delivery(full()))
    assert sent == as_json(delivery(full()))
    document = json.loads(sent)
    assert (document["type"], document["timestamp"]) == ("alert.raised", "2013-07-01T00:00:00Z")
    assert document["data"] == {
        "alert": f"{full().key}-1",
        "project": "default",
        "endpoint": "late",
        "monitor": "score_drift",
        "subject": "carrier = <AA>",
        "severity": "critical",
        "stands": True,
        "title": "[critical] late: the scores of late moved",
        "what": "the scores of late moved",
        "evidence": [
            {"name": "distance", "value": "0.31 (0.27 to 0.35)", "limit": "0.10"},
            {"name": "rows", "value": "5,000", "limit": ""},
        ],
        "cause": "a & b changed",
        "advice": "look at <dep_delay>",
        "links": [{"title": "report", "url": "https://example.com/report?a=1&b=2"}],
        "raised": "2013-07-01T00:00:00Z",
        "seen": "2013-07-01T00:00:00Z",
        "ended": None,
        "times": 1,
    }


def test_a_chat_gets_a_line_and_an_attachment_and_nobody_is_called() -> None:
    found = finding(what="<!channel> & <@U1> moved", cause="<!here>")
    message = json.loads(as_chat(delivery(found)))
    assert message["text"] == "[warning] late: &lt;!channel&gt; &amp; &lt;@U1&gt; moved"
    assert "<!" not in json.dumps(message)
    [attachment] = json.loads(as_chat(delivery(full())))["attachments"]
    assert attachment["color"] == "#d00000"
    assert "<https://example.com/report?a=1&amp;b=2|report>" in attachment["text"]
    assert attachment["fields"][0] == {
        "title": "distance",
        "value": "0.31 (0.27 to 0.35) (limit 0.10)",
        "short": True,
    }
    [over] = json.loads(as_chat(delivery(full(), Notice.OVER)))["attachments"]
    assert over["color"] == "#2eb886"
