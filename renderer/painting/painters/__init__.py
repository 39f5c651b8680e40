"""What a painter is, and how one is found by name.

A painter turns a canvas, a mask and a prompt into a picture. It knows nothing of keyframes on
disk, of film or of threads; the engine knows nothing of models.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import entry_points
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from renderer.errors import PainterError, SettingsError
from renderer.settings.option import unknown
from renderer.settings.render import RenderSettings

OnStep = Callable[[int, int], None]
"""``on_step(done, total)``: reports progress within one call; may raise to cancel it."""


@dataclass(frozen=True, slots=True)
class PaintJob:
    """All that a painter may know about the picture it is asked for."""

    canvas: NDArray[np.uint8]
    """(H, W, 3) sRGB. The masked part holds symmetric padding of the rest, or what is there already
    where that is to be painted anew."""
    mask: NDArray[np.bool_]
    """(H, W); True = paint here. True everywhere for a first picture made from nothing."""
    prompt: str
    negative_prompt: str
    seed: int
    """0 … 2**63 - 1, already derived for this keyframe and this side."""
    keyframe: int
    """Index of the keyframe being made; 0 = the first picture."""
    earlier_prompt: str = ""
    """The prompt that ``prompt`` is replacing; empty: none."""
    blend: float = 1.0
    """How far it has been replaced, above 0 and up to 1; painters without embeddings ignore it."""
    strength: float | None = None
    """How much of the masked part is noised anew, in (0, 1]; None: as the painter was set up.
    Painters without noise ignore it."""
    refine: float = 0.0
    """Above 0: the canvas is a whole picture, enlarged so many times, and the mask True everywhere:
    what it shows is to be painted with finer detail. What it can't tell is to be invented."""


class Painter(Protocol):
    """One call a picture; the whole (H, W, 3) uint8 sRGB picture comes back.

    The known area may come back changed: the engine never trusts it (see ``painting.outpaint``).
    """

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]: ...


@runtime_checkable
class BatchPainter(Painter, Protocol):
    """A painter that makes several versions of one border together, which may be quicker.

    The jobs, at least two, differ in their seeds only. Each picture is what ``paint`` makes of the
    same job, but for float noise; None stands for a version that failed, and at least one did not.
    Progress is that of the whole. Painters without this method are called once for each version.
    """

    def paint_many(
        self, jobs: Sequence[PaintJob], on_step: OnStep
    ) -> Sequence[NDArray[np.uint8] | None]: ...


@runtime_checkable
class CheckingPainter(Painter, Protocol):
    """A painter that knows which values of other settings it could not paint with.

    ``check`` is asked before settings are steered: from any thread, also while it paints, and it
    must be quick. Raises SettingsError.
    """

    def check(self, settings: RenderSettings) -> None: ...


@runtime_checkable
class AdjustablePainter(Painter, Protocol):
    """A painter that can go on with other values of settings that it was made for.

    ``adjust`` is called on the thread that paints, between two pictures. True: from now on it
    paints as one that is made for ``settings``; False: it must be made anew. Raises SettingsError.
    """

    def adjust(self, settings: RenderSettings) -> bool: ...


def paint_all(
    painter: Painter, jobs: Sequence[PaintJob], on_step: OnStep
) -> Sequence[NDArray[np.uint8] | None]:
    """One picture a job, in the way that suits the painter best; see ``BatchPainter``."""
    if isinstance(painter, BatchPainter):
        return painter.paint_many(jobs, on_step)
    # Copies: a painter may give back the same memory each time.
    return [
        np.array(painter.paint(job, one_of(on_step, index, len(jobs))))
        for index, job in enumerate(jobs)
    ]


def one_of(on_step: OnStep, index: int, count: int) -> OnStep:
    """``on_step`` for one of ``count`` calls that take equally long, 0 the first."""

    def report(done: int, total: int) -> None:
        on_step(index * total + min(done, total), count * total)

    return report


PainterFactory = Callable[[RenderSettings], Painter]
"""``factory(settings) -> Painter``; called on the thread that will paint. May take long."""

BUILT_IN = {
    "texture": "renderer.painting.painters.texture.painter:create",
    "diffusion": "renderer.painting.painters.diffusion:create",
}
ENTRY_POINT_GROUP = "zoomtui.painters"


def find(name: str) -> PainterFactory:
    """The factory of the painter of that name; loads no model.

    ``name`` is built in (``texture``, ``diffusion``), registered by an installed package under the
    entry point group ``zoomtui.painters``, or ``module:factory``, where the module may lie in the
    working directory. Raises SettingsError for a name that does not exist, with the nearest one,
    and PainterError if what it names can't be imported.
    """
    if name in BUILT_IN:
        return _load(BUILT_IN[name], f"painter {name!r}")
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=name):
        package = f" (of {entry.dist.name})" if entry.dist else ""
        return _load(f"{entry.module}:{entry.attr}", f"painter {name!r}{package}")
    check_name(name)
    _look_here_for(name.partition(":")[0].partition(".")[0])
    return _load(name, f"painter {name!r}")


def check_name(name: str) -> None:
    """Raise SettingsError for a name that does not exist; ``module:factory`` is not looked for."""
    known = {*BUILT_IN, *(entry.name for entry in entry_points(group=ENTRY_POINT_GROUP))}
    if name not in known and ":" not in name:
        raise SettingsError(
            unknown(f"painter {name!r}", name, known) + " (or module:factory)", "painter"
        )


def _load(target: str, what: str) -> PainterFactory:
    """Import ``module:factory``; ``what`` opens the line of an error."""
    module_name, _, path = target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except (ImportError, SyntaxError, ValueError, TypeError) as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{module_name}.".startswith(f"{missing}."):  # it, or a package around it
            raise PainterError(
                f"{what}: there is no module {missing}; install it, put its folder on "
                "PYTHONPATH, or start in that folder"
            ) from None
        raise PainterError(f"{what}: {module_name} can't be imported: {error}") from error
    for part in path.split("."):
        if not hasattr(found, part):
            public = {key for key in dir(found) if not key.startswith("_")}
            wanted = f"name {part!r} in {module_name}"
            raise PainterError(f"{what}: " + unknown(wanted, part, public))
        found = getattr(found, part)
    if not callable(found):
        raise PainterError(f"{what} is no factory: it can't be called with the settings")
    return cast("PainterFactory", found)


def _look_here_for(package: str) -> None:
    """Let a module that is nowhere else be found in the working directory: the user named it.

    If it does not lie there either, nothing is imported from there; see ``renderer.children``.
    """
    with contextlib.suppress(OSError, ValueError):  # no such directory any more; no module's name
        here = os.getcwd()  # noqa: PTH109 - sys.path holds text
        if importlib.util.find_spec(package) is None and PathFinder.find_spec(package, [here]):
            sys.path.append(here)
