"""What this machine can do for a render: the facts behind `zoomtui doctor`.

Loads torch and opens every encoder, so it takes seconds. Only reports; never changes anything.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from renderer import __version__
from renderer.errors import PainterError
from renderer.files import free_text
from renderer.film.encode import openable_encoders
from renderer.painting.painters.accelerator import accelerator
from renderer.painting.painters.diffusion import describe_device
from renderer.planning.defaults import fill_in

PACKAGES = ("torch", "diffusers", "transformers", "av", "numba", "numpy", "pillow")


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    ok: bool
    text: str


def examine(folder: Path) -> list[Finding]:
    """All findings; ``folder`` is where a project would be made."""
    return [
        Finding("zoomtui", True, __version__),
        Finding("python", sys.version_info >= (3, 11), platform.python_version()),
        Finding("system", sys.platform == "linux", _system()),
        *(_package(name) for name in PACKAGES),
        _device(),
        *(_encoder(name, text) for name, text in openable_encoders().items()),
        Finding("disk", os.access(folder, os.W_OK), f"{free_text(folder)} free in {folder}"),
        Finding("default", True, _default()),
    ]


def _system() -> str:
    name = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return name if sys.platform == "linux" else f"{name}; only Linux is supported"


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, f"not installed: pip install {name}")


def _device() -> Finding:
    try:
        return Finding("device", True, describe_device())
    except PainterError as error:
        return Finding("device", False, str(error))


def _encoder(name: str, text: str) -> Finding:
    opens = text == "ok"
    return Finding(name, opens, "opens" if opens else f"doesn't open: {text}")


def _default() -> str:
    """What `zoomtui render PROMPT` would do here, and why."""
    found = accelerator()
    if not found:
        return "cosmos for skies, else a question, because no usable accelerator was found"
    settings = fill_in({"prompt": "x"}).settings
    film = f"{settings.size[0]}x{settings.size[1]} {settings.codec}"
    return f"--model {settings.model}, {film}, because {found} is present"
