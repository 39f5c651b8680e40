"""The code named in projects that this user trusts to run on this machine.

A project may name a painter as ``module:factory``, or model files that can run code. Making a
project with such code here, or steering one to it, means trusting the code; for a project from
elsewhere the user must say so once. Trust is for what is named, where it lies: another module of
the same name needs its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from renderer.errors import ProjectError
from renderer.files import replace_file
from renderer.project import registry
from renderer.settings.render import RenderSettings


def trust(settings: RenderSettings) -> None:
    """Trust all code that these settings would run. Raises StorageError."""
    for what in _named(settings):
        if not _entry(what).exists():
            replace_file(_entry(what), what.encode("utf-8", "surrogateescape"), durable=False)


def check_trust(folder: Path, settings: Iterable[RenderSettings]) -> None:
    """Raise ProjectError where any ``settings`` of ``folder`` would run code not trusted yet.

    Imports and runs nothing of that code.
    """
    for each in settings:
        for what in _named(each):
            if not _entry(what).exists():
                raise ProjectError(
                    f"{folder} would run code that you have not used here yet: {what}; if you "
                    f"trust it, `zoomtui resume {folder} --trust` runs it, now and later"
                )


def _named(settings: RenderSettings) -> Iterator[str]:
    """What in ``settings`` can run code, in words."""
    if ":" in settings.painter:
        yield f"the painter {settings.painter} in {_origin(settings.painter)}"
    if settings.trust_pickled_weights:
        yield f"model files of {settings.model} that are no safetensors"


def _origin(painter: str) -> str:
    """Where the module, or the package that it is in, would be imported from."""
    top = painter.partition(":")[0].partition(".")[0]
    try:
        found = find_spec(top)
    except (ImportError, ValueError):
        found = None
    if found is not None and found.origin is not None:
        return found.origin
    here = Path.cwd()  # searched after all that is installed
    places = (here / top / "__init__.py", here / f"{top}.py", here / top)
    return str(next((place for place in places if place.exists()), "a place that is not there"))


def _entry(what: str) -> Path:
    name = hashlib.blake2b(what.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return registry.private_directory("trusted") / name
