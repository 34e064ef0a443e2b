"""What the reference says was generated from the code as it is, and no rule word is missing from it."""

import re
import subprocess
import sys
from pathlib import Path

from headgate.contracts.contract import Rule

ROOT = Path(__file__).parent.parent.parent
REFERENCE = ROOT / "docs" / "reference"


def test_generated_parts_are_up_to_date() -> None:
    command = [sys.executable, "tools/reference.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{done.stdout}run: {sys.executable} tools/reference.py"


def test_a_property_is_no_call_and_a_default_is_what_a_file_would_say() -> None:
    page = (REFERENCE / "python.md").read_text()
    assert "hg.keys: Keys" in page
    assert re.findall(r"hg\.(?:keys|rollouts|reviews|alerts|monitoring)\(\)", page) == []
    pages = "\n".join(each.read_text() for each in REFERENCE.glob("*.md"))
    assert re.findall(r"\| `([A-Z]\w+\.[A-Z_]+)` \|", pages) == []


def test_every_rule_word_of_the_doors_is_listed() -> None:
    page = (REFERENCE / "http.md").read_text()
    listed = set(re.findall(r"^\| `([a-z0-9_]+)` \|", page.partition("## Every rule word")[2], re.MULTILINE))
    assert {rule.value for rule in Rule} <= listed
    said = re.compile(r'(?:BadInput|BodyRefused|Refusal|Refused)\((?:[^"()]|"[^"]*"(?=,))*?, "([a-z0-9_]+)"[,)]')
    sources = [*(ROOT / "src" / "headgate" / "gateway").rglob("*.py"), ROOT / "src/headgate/journal/identifiers.py"]
    words = {word for source in sources for word in said.findall(source.read_text())}
    assert len(words) > 12
    assert words - listed == set()


def test_every_route_of_the_data_plane_is_listed() -> None:
    page = (REFERENCE / "http.md").read_text()
    source = (ROOT / "src/headgate/gateway/doors/paths.py").read_text()
    paths = re.findall(r"^    (?:GET|POST) +(/\S+)", source.partition('"""')[2], re.MULTILINE)
    assert len(paths) >= 5
    heads = {path.partition("[")[0] for path in paths if not path.startswith("/v1/projects")}
    assert {head for head in heads if head not in page} == set()
