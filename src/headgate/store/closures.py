"""Which endpoints are out of service, as one empty file each that every gateway of the home can see."""

from pathlib import Path

from headgate.vocabulary import NAME


class FileClosures:
    """Closures in ``{folder}/{project}.{endpoint}``; a name has no dot in it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     closures = FileClosures(Path(name) / "closed")
    ...     closures.close(("default", "delays"))
    ...     closures.read()
    frozenset({('default', 'delays')})
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> frozenset[tuple[str, str]]:
        """Project and endpoint of each that is out of service."""
        try:
            names = [path.name.split(".") for path in self._folder.iterdir()]
        except FileNotFoundError:
            return frozenset()
        return frozenset((each[0], each[1]) for each in names if len(each) == 2 and all(map(NAME.fullmatch, each)))

    def close(self, key: tuple[str, str]) -> None:
        """Take it out of service."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / ".".join(key)).touch()

    def open(self, key: tuple[str, str]) -> None:
        """Bring it back."""
        (self._folder / ".".join(key)).unlink(missing_ok=True)
