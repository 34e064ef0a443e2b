"""`--store` and HEADGATE_STORE: an installation whose database is PostgreSQL, its password in no process listing."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

import headgate
from headgate.cli.main import headgate_command
from headgate.registry.packages import open_package
from headgate.registry.ports import Version
from headgate.settings import STORE_VARIABLE, default_store
from headgate.testing.installation import Installation
from headgate.testing.scripted import linear_package
from headgate.vocabulary import Micros

MODEL = """
class Half:
    def predict(self, rows):
        return [row["a"] / 2 for row in rows]
"""
REFERENCE = "a,y\n" + "".join(f"{each},{each / 2}\n" for each in range(40))


def said(*words: str, env: dict[str, str] | None = None) -> str:
    """What a verb printed; the test fails when it fails."""
    done = CliRunner().invoke(headgate_command, list(words), env=env, catch_exceptions=False, standalone_mode=False)
    assert done.exit_code == 0, done.output
    return done.output


def prepare(folder: Path) -> list[str]:
    """The words that register, evaluate and apply a model."""
    (folder / "half.py").write_text(MODEL)
    (folder / "rows.csv").write_text(REFERENCE)
    (folder / "endpoint.yaml").write_text("endpoint: half\nmodel: half\n")
    return ["register", "half", str(folder / "half.py"), "--reference", str(folder / "rows.csv"), "--label", "y"]


@pytest.mark.full
def test_from_register_to_status_on_postgres(tmp_path: Path, postgres_url: str) -> None:
    home = tmp_path / "h"
    where = ["--home", str(home), "--store", postgres_url]
    said(*prepare(tmp_path), "--trust", *where)
    said("evaluate", "half:1", str(tmp_path / "rows.csv"), "--gate", "mae <= 0.1", *where)
    said("alias", "half:1", "champion", *where)
    said("apply", str(tmp_path / "endpoint.yaml"), *where)
    by_environment = {STORE_VARIABLE: postgres_url}
    listed = json.loads(said("status", "--home", str(home), "--json", env=by_environment))
    assert listed == {"endpoints": ["half"]}
    assert "half:1" in said("status", "half", *where)
    assert not (home / "store.sqlite").exists(), "everything went to PostgreSQL"
    with headgate.open(home, store=postgres_url) as hg:
        assert hg.aliases("half") == {"champion": 1}


@pytest.mark.full
def test_up_on_postgres_tells_the_controller_alone(tmp_path: Path, postgres_url: str) -> None:
    with Installation(tmp_path / "h", store=postgres_url) as installation:
        installation.serve("late", {installation.linear(): 0.5, installation.linear(bias=1.0): 0.5})
        installation.start()
        assert installation.post("/v1/endpoints/late/predict", b'{"rows": [{"f0": 1.0, "f1": 2.0}]}')[0] == 200
        processes = installation.processes()
        assert {name.partition(" ")[0] for name in processes} == {"up", "controller", "gateway", "host"}
        for name, pid in processes.items():
            process = Path(f"/proc/{pid}")
            assert postgres_url.encode() not in (process / "cmdline").read_bytes(), name
            knows = postgres_url.encode() in (process / "environ").read_bytes()
            assert knows == (name in {"up", "controller"}), name
        installation.serve("other", {"linear:1": 1.0})
        installation.settled()
        assert postgres_url not in installation.log
        assert not installation.home.database.exists()


def test_a_store_of_its_own_by_flag_and_by_environment(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "h", tmp_path / "elsewhere.sqlite"
    with headgate.open(home, store=str(elsewhere)) as hg:
        package = open_package(linear_package(hg.home.packages))
        task = package.contract.output.task
        hg.registry.records.add_version(
            Version("default", "m", 0, package.digest, Micros(0), package.manifest.engine, task)
        )
        hg.apply("endpoint: e\nmodel: m\n", force=True, why="a test")
    assert elsewhere.exists()
    assert not (home / "store.sqlite").exists()
    for words, env in ((["--store", str(elsewhere)], None), ([], {STORE_VARIABLE: str(elsewhere)})):
        assert said("status", "--home", str(home), *words, env=env) == "e\n"
    assert said("status", "--home", str(home), env={STORE_VARIABLE: ""}).startswith("no endpoint yet")
    assert (home / "store.sqlite").exists(), "nothing said: the home's own"


def test_the_default_is_the_homes_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STORE_VARIABLE, raising=False)
    assert default_store() is None
    monkeypatch.setitem(os.environ, STORE_VARIABLE, "postgresql://h/d")
    assert default_store() == "postgresql://h/d"
