"""Which endpoint a package is sized for: the one that was named, or the only one there can be meant."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from headgate.app.sizing import Options, Wanted, size
from headgate.app.told import model_of, spec_of
from headgate.controller.declared import Declared
from headgate.errors import BadInput, NotFound
from headgate.registry.packages import MANIFEST, open_package
from headgate.registry.ports import Version
from headgate.sizing.figures import Sizing
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import DEFAULT_PROJECT

DRAFT: Final = "endpoint.yaml"
"""Where ``headgate init`` writes."""
_NOBODY: Final = "sized"
"""Model and endpoint of a package that no home knows."""


def wanted_of(
    version: Version,
    endpoint: EndpointSpec | str | Path | None,
    declared: Declared,
    names: Sequence[str],
    options: Options,
) -> Wanted:
    """A version under the endpoint that was named, or under the only one of the home that asks its model.

    `names` are the home's endpoints. Raises NotFound for a name or file there is not, BadConfiguration for a file that
    breaks a rule.
    """
    if endpoint is None:
        specs = [declared.spec(version.project, each) for each in names]
        asking = [each for each in specs if model_of(each.model) == version.model]
        asking = asking or [each for each in _draft() if model_of(each.model) == version.model]
        if len(asking) == 1:
            return _wanted(version.ref, version.model, asking[0], options)
        some = ", ".join(each.endpoint for each in asking)
        hint = f"several endpoints ask this model ({some})" if asking else "no endpoint asks this model"
        return Wanted(version.ref, _plain(version.model, None), declared=False, options=options, hint=hint)
    spec = endpoint if isinstance(endpoint, EndpointSpec) else None
    if isinstance(endpoint, Path) or (isinstance(endpoint, str) and Path(endpoint).is_file()):
        spec = spec_of(Path(endpoint))
    elif isinstance(endpoint, str):
        spec = declared.spec(version.project, endpoint)
    return _wanted(version.ref, version.model, spec, options)


def size_folder(folder: Path, *, endpoint: EndpointSpec | Path | None = None, options: Options | None = None) -> Sizing:
    """What the package in directory `folder` needs, of which no home need know; see ``Headgate.size``.

    Raises NotFound or BadInput where there is no package, IntegrityError where it changed since it was registered.
    """
    if not folder.exists():
        raise NotFound("package", str(folder))
    root = folder.parent if folder.name == MANIFEST else folder
    if not (root / MANIFEST).is_file():
        raise BadInput(str(folder), "type", "is no folder of a package; `headgate register` makes packages of models")
    package = open_package(root)
    options = options or Options()
    if endpoint is None:
        spec = _plain(_NOBODY, None)
        hint = "a folder belongs to no endpoint"
        return size(package, Wanted(str(folder), spec, declared=False, options=options, hint=hint))
    if isinstance(endpoint, Path) and not endpoint.is_file():
        raise NotFound("file", str(endpoint), "A package in a folder is sized for the file of an endpoint")
    return size(package, _wanted(str(folder), _NOBODY, spec_of(endpoint), options))


def _draft() -> list[EndpointSpec]:
    """The endpoint that ``headgate init`` wrote into this directory, if it did."""
    return [spec_of(Path(DRAFT))] if Path(DRAFT).is_file() else []


def _wanted(name: str, model: str, spec: EndpointSpec | None, options: Options) -> Wanted:
    return Wanted(name, _plain(model, spec), declared=spec is not None, options=options)


def _plain(model: str, spec: EndpointSpec | None) -> EndpointSpec:
    """`spec` for the home in which it is measured: one version, all its callers, nothing remembered of it."""
    model = f"{model}:1"
    if spec is None:
        return EndpointSpec(_NOBODY, model)
    return msgspec.structs.replace(spec, model=model, project=DEFAULT_PROJECT, traffic=None, forced=[])
