"""Types that are read from bytes or documents are looked through where they are defined: see `vocabulary.readable`."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "headgate"
READERS = ("msgspec.convert", "msgspec.json.decode", "msgspec.msgpack.decode", "read_document", "_decoded")
"""Functions that read something as a type, their second argument or the one called ``type``."""
PLAIN = {
    "Key": "nested tuples of texts, of which msgspec keeps nothing",
    "_AWARE": "a moment, of which msgspec keeps nothing",
    "datetime": "the same",
    "bytes": "the same",
    "kind": "whatever the caller names, which is looked at there",
}
"""Names that need not be readable, with the reason."""

MANY_THREADS = """
import sys, threading
import msgspec
from headgate.vocabulary import readable

def described(number):
    part = msgspec.defstruct(f"Part{number}", [(f"p{each}", int | None, None) for each in range(8)], frozen=True)
    members = [(f"m{each}", part | None, None) for each in range(8)]
    return readable(msgspec.defstruct(f"Whole{number}", members, frozen=True))

def read(kind, barrier):
    barrier.wait()
    msgspec.convert({"m1": {"p0": 1}}, kind)

sys.setswitchinterval(1e-6)
for number in range(400):
    kind, barrier = described(number), threading.Barrier(2)
    threads = [threading.Thread(target=read, args=(kind, barrier)) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
"""


def test_what_is_read_is_readable() -> None:
    trees = {path: ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")}
    known = {name for tree in trees.values() for name in readable(tree)} | PLAIN.keys()
    read = {(path.name, name) for path, tree in trees.items() for name in read_as(tree)}
    assert len(read) > 20, "the functions that read are called otherwise now"
    assert {each for each in read if each[1] not in known} == set()


def test_many_threads_may_read_one_for_the_first_time() -> None:
    done = subprocess.run([sys.executable, "-c", MANY_THREADS], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def readable(tree: ast.Module) -> Iterator[str]:
    """Classes that are decorated, and those of which a decoder is made when their module is imported."""
    for each in tree.body:
        if isinstance(each, ast.ClassDef) and any(
            isinstance(of, ast.Name) and of.id == "readable" for of in each.decorator_list
        ):
            yield each.name


def read_as(tree: ast.Module) -> Iterator[str]:
    """The names of types that something is read as."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func)
        if name in READERS:
            named = [each.value for each in call.keywords if each.arg == "type"]
            for each in named or call.args[1:2]:
                if isinstance(each, ast.Name):
                    yield each.id
