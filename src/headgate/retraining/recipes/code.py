"""The code that ran, kept beside the run and named by a digest."""

import hashlib
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from headgate.vocabulary import Digest


def loaded(sources: Path, main: Path) -> list[Path]:
    """The file `main` and every source file below its folder or `sources` that is imported by now."""
    roots = (sources.resolve(), main.resolve().parent)
    found = {main.resolve()}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or name.partition(".")[0] in ("headgate", "__main__"):
            continue
        path = Path(file).resolve()
        if path.suffix == ".py" and "site-packages" not in path.parts and any(map(path.is_relative_to, roots)):
            found.add(path)
    found = {each for each in found if not each.is_relative_to(Path(sys.prefix).resolve())} | {main.resolve()}
    return sorted(found)


def keep(files: Iterable[Path], sources: Path, into: Path, words: Mapping[str, str]) -> Digest:
    """Copy `files` into the folder `into`; the digest of their content, of their names, and of `words`."""
    digests = {}
    for path in files:
        try:
            name = path.resolve().relative_to(sources.resolve())
        except ValueError:
            name = Path(path.name)
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        digests[name.as_posix()] = hashlib.sha256(target.read_bytes()).hexdigest()
    said = msgspec.json.encode((sorted(digests.items()), sorted(words.items())))
    return Digest(f"sha256:{hashlib.sha256(said).hexdigest()}")
