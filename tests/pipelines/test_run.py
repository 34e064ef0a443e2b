"""A pipeline from CSV to a training set, again with what is new, and from the step that failed."""

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.pipelines.worlds import FLIGHTS, World, flight

from headgate.errors import BadInput, Conflict, HomeInUse, NotFound
from headgate.pipelines.pipelinefile import StepName
from headgate.pipelines.run import read_quality
from headgate.pipelines.serving import open_transform
from headgate.pipelines.state import Ending, Run, StepState
from headgate.retraining.datasets.dataset import Dataset


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.flights("january.csv", [flight(each) for each in range(400)])
    return world


def dataset(world: World, run: Run) -> tuple[Dataset, pa.Table]:
    folder = world.datasets / str(run.made(StepName.DATASET, "dataset")).removeprefix("sha256:")
    return msgspec.json.decode((folder / "dataset.json").read_bytes(), type=Dataset), pq.read_table(
        folder / "rows.parquet"
    )


def test_files_become_a_training_set_under_its_digest(world: World) -> None:
    run = world.runner().run()
    assert run.ending is Ending.FINISHED
    found, rows = dataset(world, run)
    assert (found.rows, found.features, found.classes) == (
        400,
        ("distance", "carrier", "hours"),
        {"False": 266, "True": 134},
    )
    assert rows.column_names == ["distance", "carrier", "hours", "label", "weight", "at", "input_id", "source"]
    assert rows["hours"][3].as_py() == pytest.approx(103 / 500)
    assert rows["at"].to_pylist() == sorted(rows["at"].to_pylist())
    assert found.bytes > 0


def test_the_same_rows_are_the_same_set(world: World) -> None:
    first = world.runner().run()
    second = world.runner().run(since=StepName.TRANSFORM)
    assert first.made(StepName.DATASET, "dataset") == second.made(StepName.DATASET, "dataset")
    assert len(list(world.datasets.iterdir())) == 1


def test_only_what_is_new_is_read(world: World) -> None:
    world.runner().run()
    world.flights("february.csv", [flight(each) for each in range(400, 500)])
    run = world.runner().run()
    assert run.step(StepName.LOAD).made["rows"] == 100
    assert dataset(world, run)[0].rows == 500


def test_where_nothing_is_new_nothing_is_done(world: World) -> None:
    world.runner().run()
    run = world.runner().run()
    assert run.ending is Ending.NOTHING_NEW
    assert {each.state for each in run.steps[1:]} == {StepState.SKIPPED}


def test_a_row_that_comes_again_replaces_the_one_before(world: World) -> None:
    world.runner().run()
    world.flights("corrected.csv", [flight(0, distance=5999)])
    rows = dataset(world, world.runner().run())[1]
    assert rows.num_rows == 400
    assert max(rows["distance"].to_pylist()) == 5999


def test_rows_that_were_kept_before_are_not_kept_again(world: World) -> None:
    world.runner().run()
    again = [flight(each, distance=4000 if each == 5 else 100 + each) for each in range(401)]
    world.flights("january-again.csv", again)
    run = world.runner().run()
    assert run.step(StepName.CHECK).made == {"rows": 2, "aside": 0}
    assert run.step(StepName.CHECK).why.startswith("flights: 401 rows read, 0 set aside, 399 known already")
    assert dataset(world, run)[0].rows == 401
    world.flights("copy.csv", [flight(each) for each in range(6, 9)])
    nothing = world.runner().run()
    assert (nothing.ending, nothing.step(StepName.TRANSFORM).state) == (Ending.NOTHING_NEW, StepState.SKIPPED)
    assert world.kept.state().sources["flights"].rows == 402


def test_rows_that_break_the_contract_go_aside(world: World) -> None:
    bad = [flight(400, distance=-5), flight(401, carrier="ZZ"), flight(402, distance="far")]
    world.flights("february.csv", [*bad, *(flight(each) for each in range(403, 500))])
    run = world.runner().run()
    assert run.step(StepName.CHECK).made == {"rows": 497, "aside": 3}
    aside = pq.read_table(world.kept.quarantine("flights") / f"{run.id}.parquet")
    assert aside.select(["id", "_field", "_rule"]).to_pylist() == [
        {"id": "400", "_field": "distance", "_rule": "range"},
        {"id": "401", "_field": "carrier", "_rule": "domain"},
        {"id": "402", "_field": "distance", "_rule": "type"},
    ]
    [quality] = read_quality(world.kept, run.id)
    assert {(each.field, each.rule, each.rows) for each in quality.broken} == {
        ("distance", "range", 1), ("carrier", "domain", 1), ("distance", "type", 1),
    }  # fmt: skip
    assert dataset(world, run)[0].rows == 497


def test_too_many_broken_rows_stop_it_and_keep_nothing(world: World) -> None:
    world.runner().run()
    world.flights("february.csv", [flight(each, distance=-1) for each in range(400, 440)])
    with pytest.raises(BadInput, match=r"100.0% of 40 new rows cannot be kept, and 5% may: 40 'range' of distance"):
        world.runner().run()
    assert world.kept.state().sources["flights"].rows == 400
    world.flights("february.csv", [flight(each) for each in range(400, 440)])
    run = world.runner().run(since=StepName.LOAD)
    assert run.ending is Ending.FINISHED
    assert dataset(world, run)[0].rows == 440


def test_a_column_that_is_gone_is_named(world: World) -> None:
    world.runner().run()
    rows = [{key: value for key, value in flight(each).items() if key != "carrier"} for each in range(400, 420)]
    world.flights("february.csv", rows)
    with pytest.raises(BadInput, match=r"'carrier' was string and is gone.*--reload flights"):
        world.runner().run()
    assert world.kept.state().sources["flights"].rows == 400
    assert world.kept.runs()[-1].step(StepName.CHECK).state is StepState.FAILED


def test_a_column_that_is_new_is_left_out_until_all_is_read_anew(world: World) -> None:
    world.runner().run()
    world.flights("february.csv", [flight(each, gate="A") for each in range(400, 500)])
    run = world.runner().run()
    assert "column 'gate' is new and left out" in run.step(StepName.CHECK).why
    assert "gate" not in dataset(world, run)[1].column_names
    again = world.runner().run(reload=["flights"])
    assert dataset(world, again)[1]["gate"].null_count == 400


def test_a_source_that_vanished_is_named_and_leaves_all_as_it_was(world: World) -> None:
    world.runner().run()
    before = world.kept.state()
    for each in (world.root / "flights").iterdir():
        each.unlink()
    with pytest.raises(NotFound, match=r"flights/\*.csv' does not exist. sources.flights reads it"):
        world.runner().run()
    assert world.kept.state() == before
    world.flights("february.csv", [flight(each) for each in range(400, 500)])
    assert world.runner().run().ending is Ending.FINISHED


def test_a_file_that_changed_without_a_key_is_read_with_all_others(world: World) -> None:
    world.text = FLIGHTS.replace("    key: [id]\n", "")
    world.runner().run()
    world.flights("january.csv", [flight(each) for each in range(300)])
    run = world.runner().run()
    assert dataset(world, run)[0].rows == 300
    assert "january.csv has changed, so that all files were read anew" in run.step(StepName.CHECK).why


def test_a_file_that_grows_is_read_from_its_watermark(world: World) -> None:
    world.text = FLIGHTS.replace("    key: [id]\n", "    watermark: at\n")
    world.runner().run()
    world.flights("january.csv", [flight(each) for each in range(450)])
    run = world.runner().run()
    assert run.step(StepName.LOAD).made["rows"] == 50
    assert dataset(world, run)[0].rows == 450


LEARNING = FLIGHTS + "endpoint: late\nrecipe: {automl: {budget: 60s}}\nrollout: {strategy: canary}\n"


def test_after_the_training_set_others_learn_prove_and_roll_out(world: World) -> None:
    world.text = LEARNING
    run = world.runner().run()
    assert [each[0] for each in world.hands.asked] == ["learn", "prove", "roll_out"]
    assert run.step(StepName.ROLL_OUT).why == "rollout 1 of late:1 began"


def test_a_gate_that_fails_ends_the_run_and_nothing_rolls_out(world: World) -> None:
    world.text, world.hands.passes = LEARNING, False
    run = world.runner().run()
    assert (run.ending, run.step(StepName.ROLL_OUT).state) == (Ending.GATE_FAILED, StepState.SKIPPED)
    assert run.step(StepName.GATE).why == "it is worse"


def test_it_goes_on_at_the_step_that_failed(world: World) -> None:
    world.text = FLIGHTS.replace("distance / 500", "nowhere / 500")
    with pytest.raises(BadInput, match=r"transforms\[0\].*nowhere"):
        world.runner().run()
    failed = world.kept.runs()[-1]
    world.text = FLIGHTS.replace("distance / 500", "nowhere / 500")
    with pytest.raises(BadInput, match="nowhere"):
        world.runner().run()
    assert [each.id for each in world.kept.runs()] == [failed.id]
    again = world.kept.runs()[-1]
    assert again.step(StepName.LOAD).began == failed.step(StepName.LOAD).began
    # Another file is another run, which reads nothing twice.
    world.text = FLIGHTS
    run = world.runner().run()
    assert (run.id != failed.id, run.ending, dataset(world, run)[0].rows) == (True, Ending.FINISHED, 400)


def test_steps_one_by_one_are_the_same_run(world: World) -> None:
    for each in world.runner()._file.said.steps:
        run = world.runner().run(run="job-7", step=each)
    assert (run.id, run.ending) == ("job-7", Ending.FINISHED)
    again = world.runner().run(run="job-7", step=StepName.LOAD)
    assert again == run


def test_a_step_whose_turn_it_is_not_is_refused(world: World) -> None:
    with pytest.raises(Conflict, match="no run has come as far as 'dataset'; begin with 'load'"):
        world.runner().run(run="job-7", step=StepName.DATASET)
    world.runner().run(run="job-7", step=StepName.LOAD)
    with pytest.raises(Conflict, match="step 'dataset' of run job-7 comes after 'check', which is waiting"):
        world.runner().run(run="job-7", step=StepName.DATASET)


def test_two_at_once_are_one(world: World) -> None:
    runner = world.runner()
    with world.kept.locked(), pytest.raises(HomeInUse, match="another process runs the pipeline 'late'"):
        runner.run()


def test_what_a_run_leaves_behind_serves(world: World) -> None:
    run = world.runner().run()
    with open_transform(world.kept.run_folder(run.id) / "transform.json") as transform:
        made = transform.rows([{"distance": 250, "carrier": "UA"}, {"distance": None, "carrier": None}])
    assert made == [
        {"distance": 250.0, "carrier": "UA", "hours": 0.5}, {"distance": None, "carrier": None, "hours": None},
    ]  # fmt: skip


def test_a_file_that_the_pipeline_names_is_part_of_it(world: World) -> None:
    (world.root / "learn.py").write_text("def train(data): ...\n")
    world.text = LEARNING.replace("{automl: {budget: 60s}}", "{python: learn.py:train}")
    first = world.runner().run(run="job-7")
    (world.root / "learn.py").write_text("def train(data): return 1\n")
    with pytest.raises(Conflict, match=r"pipeline.yaml, or a file it names, has changed since run job-7 began"):
        world.runner().run(run="job-7")
    # Nothing is new in any source, and there is something else to learn all the same.
    second = world.runner().run()
    assert (second.ending, second.id != first.id) == (Ending.FINISHED, True)


def test_what_is_read_anew_takes_the_place_of_what_was_kept_once_it_is_there(world: World) -> None:
    world.runner().run()
    january = world.root / "flights" / "january.csv"
    whole = january.read_bytes()
    january.unlink()
    with pytest.raises(NotFound):
        world.runner().run(reload=["flights"])
    assert world.kept.state().sources["flights"].rows == 400
    january.write_bytes(whole)
    run = world.runner().run()
    assert (run.reloaded, run.step(StepName.LOAD).made["rows"]) == (("flights",), 400)
    assert [each.run for each in world.kept.state().sources["flights"].parts] == [run.id]
    with pytest.raises(BadInput, match="the pipeline has no source 'weather'"):
        world.runner().run(reload=["weather"])


def test_rows_that_another_run_kept_meanwhile_are_not_kept_twice(world: World) -> None:
    world.runner().run(run="a", step=StepName.LOAD)
    world.runner().run(run="b")
    with pytest.raises(
        Conflict, match=r"another run has read sources.flights since run a did; load it again: .*--from"
    ):
        world.runner().run(run="a")
    assert world.runner().run(run="a", since=StepName.LOAD).ending is Ending.NOTHING_NEW
    assert world.kept.state().sources["flights"].rows == 400
    with pytest.raises(Conflict, match="what run b read is kept already"):
        world.runner().run(run="b", since=StepName.LOAD)
