"""A user's own mistake ends in one sentence and the exit code of its class, never in a traceback."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.cli.in_process import Run

from headgate.cli import label as command
from headgate.client import Client
from headgate.errors import BadInput
from headgate.testing.scripted import linear_package
from headgate.traffic.endpoint import load_endpoint


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    return Run(capsys, monkeypatch)


@pytest.fixture
def reference(tmp_path: Path) -> str:
    pd.DataFrame({"x": [1.0, 2.0] * 30, "y": [True, False] * 30}).to_parquet(tmp_path / "ref.parquet")
    return "ref.parquet"


def serve_linear(home: Path, *outputs: int) -> None:
    """Register linear models of so many fields in `home`, as linear:1, linear:2 …"""
    from headgate.app.facade import open_home
    from headgate.registry.packages import open_package
    from headgate.registry.ports import Version
    from headgate.vocabulary import Micros

    with open_home(home) as hg:
        for fields in outputs:
            found = open_package(linear_package(hg.home.packages, fields))
            task = found.contract.output.task
            hg.registry.records.add_version(
                Version("default", "linear", 0, found.digest, Micros(0), found.manifest.engine, task)
            )


DRAFT = ("--endpoint", "late", "--model", "m", "--label", "y")


def test_a_draft_that_cannot_be_written_says_which_option(run: Run, reference: str, tmp_path: Path) -> None:
    nowhere = run("init", reference, *DRAFT, "--output", "nodir/e.yaml")
    assert (nowhere.code, "--output" in nowhere.err) == (9, True)
    assert run("init", reference, *DRAFT, "--output", ".", "--force").code == 9
    assert sorted(each.name for each in tmp_path.iterdir()) == ["ref.parquet"]


@pytest.mark.parametrize("verb", ["apply", "register"])
def test_an_operators_file_that_is_no_text_is_named(run: Run, reference: str, tmp_path: Path, verb: str) -> None:
    (tmp_path / "e.yaml").write_bytes(b"endpoint: \xff\n")
    words = {"apply": ["e.yaml"], "register": ["m", "m.skops", "--reference", reference, "--contract", "e.yaml"]}[verb]
    done = run(verb, *words, "--home", "h")
    assert (done.code, done.err) == (9, "headgate: e.yaml: is not UTF-8 text\n")


def test_a_contract_that_is_not_there_is_named(run: Run, reference: str) -> None:
    done = run("register", "m", "m.skops", "--reference", reference, "--contract", "no.yaml", "--home", "h")
    assert (done.code, "no.yaml" in done.err) == (4, True)


def test_a_project_that_is_no_name_is_refused_before_anything_is_written(run: Run) -> None:
    done = run("status", "--project", "BAD!", "--home", "h")
    assert (done.code, done.err) == (3, "headgate: project: must match [a-z0-9-]{1,63}\n")


@pytest.mark.parametrize("verb", ["predict", "label"])
def test_a_file_of_rows_or_labels_that_cannot_be_read_is_named(run: Run, verb: str) -> None:
    words = {"predict": ["late"], "label": ["late", "--file"]}[verb]
    assert run(verb, *words, "nowhere.json", "--home", "h").code == 4
    assert run(verb, *words, ".", "--home", "h").code == 3


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """In place of a gateway: how many labels each request brought; a label 9 is refused."""
    requests: list[int] = []

    def label(_: Client, _endpoint: str, labels: Sequence[Mapping[str, Any]]) -> int:
        for place, each in enumerate(labels):
            if each.get("label") == 9:
                raise BadInput(f"labels[{place}].id", "known_id", "was never given")
            if "label" not in each:
                raise BadInput(f"labels[{place}]", "reference", "has none")
        requests.append(len(labels))
        return len(labels)

    monkeypatch.setattr(Client, "label", label)
    monkeypatch.setattr(command, "_BATCH", 3)
    return requests


def test_a_file_of_many_labels_goes_in_several_requests(run: Run, gateway: list[int], tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_text('{"label": 1}\n\n' * 7)
    done = run("label", "late", "--file", "l.jsonl", "--url", "http://127.0.0.1:1")
    assert (done.code, done.out, gateway) == (0, "7 accepted\n", [3, 3, 1])


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["", '{"label": 1}', '{"label": 9}'], "headgate: line 3: id: was never given\n"),
        (["{}"], "headgate: line 1: has none\n"),
        (
            ['{"label": 1}'] * 4 + ['{"label": 9}'],
            "headgate: line 5: id: was never given; the labels of the lines before 4 are kept\n",
        ),
        ([], "headgate: l.jsonl: holds no label\n"),
        (["[1]"], "headgate: line 1: a label is an object\n"),
    ],
)
def test_a_label_that_is_refused_is_named_by_its_line(
    run: Run, gateway: list[int], tmp_path: Path, lines: list[str], says: str
) -> None:
    (tmp_path / "l.jsonl").write_text("\n".join(lines))
    done = run("label", "late", "--file", "l.jsonl", "--url", "http://127.0.0.1:1")
    assert (done.code, done.err) == (3, says)


def test_a_label_comes_from_the_line_or_from_a_file(run: Run, gateway: list[int]) -> None:
    assert run("label", "late", "id", "1", "--url", "http://127.0.0.1:1").out == "1 accepted\n"
    for words in (("id", "1", "--file", "-"), ("id",), ()):
        assert run("label", "late", *words).code == 2


@pytest.mark.parametrize("verb", ["status", "up", "register"])
def test_an_empty_home_is_no_place_to_work_in(run: Run, verb: str, tmp_path: Path) -> None:
    words = {"register": ("m", "m.skops", "--reference", "r.csv")}.get(verb, ())
    done = run(verb, *words, "--home", "")
    assert (done.code, "'--home': it is empty" in done.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_variable_is_as_none(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADGATE_HOME", "")
    assert run("status").code == 0
    assert [each.name for each in tmp_path.iterdir()] == [".headgate"]


def test_rows_of_no_name_are_no_file(run: Run) -> None:
    assert run("predict", "late", "", "--home", "h").err == "headgate: file '' does not exist\n"


def test_the_list_of_endpoints_is_json_when_asked(run: Run) -> None:
    assert json.loads(run("status", "--json", "--home", "h").out) == {"endpoints": []}
    assert run("status", "late", "--last", "0", "--home", "h").code == 2


def test_aliases_are_listed_however_the_model_is_spelled_and_only_of_a_model_there_is(run: Run, tmp_path: Path) -> None:
    assert run("alias", "linear", "--home", "h").code == 4
    serve_linear(tmp_path / "h", 2)
    assert run("alias", "linear:1", "champion", "--home", "h").code == 0
    for spelling in ("linear", "linear:1", "linear@champion"):
        assert run("alias", spelling, "--home", "h").out == "linear@champion  version 1\n"


def test_versions_that_read_other_fields_do_not_share_an_endpoint(run: Run, tmp_path: Path) -> None:
    serve_linear(tmp_path / "h", 2, 3)
    split = "traffic:\n  split:\n  - {version: 'linear:1', weight: 0.5}\n  - {version: 'linear:2', weight: 0.5}\n"
    (tmp_path / "e.yaml").write_text(f"endpoint: late\nmodel: linear:1\n{split}")
    done = run("apply", "e.yaml", "--force", "--home", "h")
    assert (done.code, "traffic.split[1].version" in done.err) == (9, True)
    (tmp_path / "e.yaml").write_text("endpoint: late\nmodel: linear:1\n")
    applied = json.loads(run("apply", "e.yaml", "--force", "--json", "--home", "h").out)
    assert (applied["revision"], applied["weights"]) == (1, {"linear:1": 1.0})


@pytest.mark.parametrize("key", ["redact", "fields"])
def test_a_field_to_be_kept_out_of_the_journal_must_be_one(run: Run, tmp_path: Path, key: str) -> None:
    serve_linear(tmp_path / "h", 2)
    for name, code in (("f1", 0), ("f9", 9)):
        (tmp_path / "e.yaml").write_text(f"endpoint: late\nmodel: linear:1\ncapture: {{{key}: [{name}]}}\n")
        done = run("apply", "e.yaml", "--force", "--home", "h")
        assert done.code == code
    assert done.err == f"headgate: capture.{key}: 'f9' is no field of this endpoint; it has f0, f1\n"


def test_an_evaluation_that_proves_nothing_says_what_would(run: Run, tmp_path: Path) -> None:
    serve_linear(tmp_path / "h", 1)
    from headgate.app.facade import open_home

    with open_home(tmp_path / "h") as hg:
        found = hg.registry.package(hg.registry.resolve("linear"))
        field, output = found.contract.fields[0].name, found.contract.output
    first, second = output.classes if output.classes else (0.5, 1.5)
    frame = pd.DataFrame({field: [float(each) for each in range(-30, 30)], output.label: [first, second] * 30})
    frame.to_parquet(tmp_path / "rows.parquet")
    bare = run("evaluate", "linear", "rows.parquet", "--home", "h")
    assert (bare.code, "--gate '" in bare.err) == (6, True)
    metric = "r2" if not output.classes else "auc"
    rival = run("evaluate", "linear", "rows.parquet", "--gate", f"{metric} better than champion", "--home", "h")
    assert (rival.code, "headgate alias linear:1 champion" in rival.err) == (6, True)
    frame[field] = [None] * 10 + [1.0] * 50
    frame.to_parquet(tmp_path / "holes.parquet")
    holes = run("evaluate", "linear", "holes.parquet", "--home", "h")
    assert (holes.code, holes.err.startswith(f"headgate: {field}: 10 rows have no value")) == (3, True)


@pytest.mark.parametrize("verb", ["up", "gateway", "controller"])
def test_nothing_listens_beyond_this_machine_unless_it_is_said(
    run: Run, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HEADGATE_UP_INSECURE", "HEADGATE_GATEWAY_INSECURE", "HEADGATE_CONTROLLER_INSECURE"):
        monkeypatch.setenv(name, "1")
    done = run(verb, "--host", "0.0.0.0", "--home", "h")  # noqa: S104 - that it is refused is the test
    assert (done.code, "--insecure" in done.err) == (9, True)
    assert not Path("h").exists()


@pytest.mark.parametrize("words", [("--port", "99999"), ("--port", "0"), ("--workers", "-1"), ("--seal-interval", "0")])
def test_numbers_no_server_can_use_are_refused(run: Run, words: tuple[str, str]) -> None:
    assert run("up", *words, "--home", "h").code == 2


def test_an_option_may_come_from_the_environment_but_trust_may_not(
    run: Run, reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADGATE_STATUS_HOME", "elsewhere")
    assert run("status").code == 0
    assert (tmp_path / "elsewhere").is_dir()
    monkeypatch.setenv("HEADGATE_UP_PORT", "99999")
    assert run("up", "--home", "h").code == 2
    monkeypatch.setenv("HEADGATE_REGISTER_TRUST", "1")
    (tmp_path / "m.pkl").write_bytes(b"x")
    assert run("register", "m", "m.pkl", "--reference", reference, "--home", "h").code == 8


def test_a_verb_without_its_libraries_names_the_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "headgate.cli.doctor", raising=False)
    monkeypatch.delitem(sys.modules, "headgate.app.doctor", raising=False)
    monkeypatch.setitem(sys.modules, "numpy", None)
    done = run("doctor", "--home", "h")
    assert (done.code, "headgate[platform]" in done.err) == (7, True)
    assert "Traceback" not in done.err


def test_a_damaged_word_of_where_gateways_answer_counts_as_none(run: Run, tmp_path: Path) -> None:
    assert run("status", "--home", "h").code == 0
    (tmp_path / "h" / "run" / "up.json").write_text("{")
    assert run("predict", "late", "{}", "--home", "h").code == 12


def test_doctor_sees_an_endpoint_gateways_cannot_read(run: Run, tmp_path: Path) -> None:
    serve_linear(tmp_path / "h", 1)
    (tmp_path / "e.yaml").write_text("endpoint: late\nmodel: linear:1\n")
    assert run("apply", "e.yaml", "--force", "--home", "h").code == 0
    assert "cannot read its traffic" not in run("doctor", "--home", "h").out
    (tmp_path / "h" / "traffic" / "default" / "late.json").write_text("{")
    done = run("doctor", "--home", "h")
    assert (done.code, "cannot read its traffic" in done.out) == (6, True)


def test_a_registered_models_draft_holds_the_fields_it_reads(run: Run, tmp_path: Path) -> None:
    serve_linear(tmp_path / "h", 2)
    pd.DataFrame({"f0": [1.0, 2.0], "f1": [1.0, 2.0], "note": ["a", "b"]}).to_parquet("wide.parquet")
    pd.DataFrame({"f0": [1.0, 2.0]}).to_parquet("narrow.parquet")
    words = ("--endpoint", "late", "--model", "linear", "--home", "h", "--output", "e.yaml")
    assert run("init", "wide.parquet", *words).code == 0
    drafted = load_endpoint((tmp_path / "e.yaml").read_text(), "e.yaml").contract
    assert drafted is not None
    assert drafted.names == ("f0", "f1")
    narrow = run("init", "narrow.parquet", *words, "--force")
    assert "linear:1 reads this field" in narrow.err
    assert run("init", "wide.parquet", *words[:3], "other", *words[4:], "--force").code == 0
    inferred = load_endpoint((tmp_path / "e.yaml").read_text(), "e.yaml").contract
    assert inferred is not None
    assert inferred.names == ("f0", "f1", "note")


@pytest.mark.parametrize("verb", ["predict", "label"])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"null"])
def test_rows_and_labels_that_are_no_json_are_refused_before_anything_is_sent(
    run: Run, tmp_path: Path, verb: str, content: bytes
) -> None:
    (tmp_path / "in.json").write_bytes(content)
    words = {"predict": ["late"], "label": ["late", "--file"]}[verb]
    done = run(verb, *words, "in.json", "--url", "http://127.0.0.1:1")
    assert (done.code, done.err.count("\n")) == (12 if (verb, content) == ("predict", b"null") else 3, 1)


def test_a_reason_in_another_encoding_is_refused_and_nothing_is_changed(run: Run, tmp_path: Path) -> None:
    serve_linear(tmp_path / "h", 2)
    done = run("alias", "linear:1", "champion", "--why", "caf\udce9", "--home", "h")
    assert (done.code, "UTF-8" in done.err) == (2, True)
    assert "champion" not in run("alias", "linear", "--home", "h").out
