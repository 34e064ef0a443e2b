"""The whole loop on a sample of flights, hands off, as a program and as a person sees it."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from headgate.app.facade import open_home
from headgate.demo.loop import ENDPOINT_YAML
from headgate.demo.table import POLICIES
from headgate.traffic.endpoint import load_endpoint
from headgate.traffic.retrained import LimitWords, RecipeWords, RetrainingWords


def test_the_endpoint_s_file_names_a_recipe_and_its_first_rows_and_leaves_all_else_as_it_is_shipped() -> None:
    words = load_endpoint(ENDPOINT_YAML, "flights.yaml").retraining
    recipe = RecipeWords(python="learn.py:train", limits=LimitWords(threads=2))
    assert words == RetrainingWords(recipe=recipe, original="january-february.parquet")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_quick_loop_adds_up(tmp_path: Path) -> None:
    home = tmp_path / "h"
    words = [sys.executable, "-m", "headgate.cli.main", "demo", "--quick", "--json", "--home", str(home)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=580, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["answered"] + told["refused"] == told["requests"] == told["journalled"]
    assert told["failed"] == 0
    assert told["labels_posted"] == told["labels_joined"]
    loop = told["loop"]
    assert [each["month"] for each in loop["months"]] == ["2013-05", "2013-06"]
    assert all(set(each["auc"]) == set(POLICIES) for each in loop["months"])
    assert all(sum(each["versions"].values()) == each["flights"] for each in loop["months"])
    assert loop["runs"], "alarms begin runs"
    assert loop["promotions"], "and what they learn is better"
    assert loop["false_rollbacks"] == 0
    assert all(each["why"] and each["said"] for each in loop["runs"])
    bad = loop["bad_version"]
    assert (bad["phase"], bad["touched"]) == ("rolled_back", 0)
    assert loop["person_minutes"] == 0
    answers = pq.read_table(home / "answers.parquet")
    assert len(answers) == told["requests"]
    assert bad["version"] not in set(answers["version"].to_pylist())
    assert "2013-06" in (home / "months.svg").read_text()
    with open_home(home) as hg:
        assert len(hg.retraining.runs("flights")) == len(loop["runs"])
