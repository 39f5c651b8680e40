"""The ``diffusion`` painter: an inpainting pipeline of diffusers, from a folder or from the hub.

This module is light; torch, diffusers and transformers (7–13 s) load when ``create`` or
``describe_device`` is called. Importable without them: ``hub``, ``hub_errors``, ``families``,
``weights``. What is peculiar to one kind of pipeline is in ``families`` and nowhere else.

By choice there is no safety checker (it answers with black pictures, which would spoil every later
keyframe) and no watermark (it would be stamped again on every keyframe); what is painted is the
user's responsibility. The log says so once for each painter made.

Determinism: noise is made on the CPU from the job's seed alone, so one job gives the same bytes
each time on one machine: always on the CPU (for one number of threads), and on a GPU as long as
the driver picks the same kernels. Another GPU model or torch version may differ by a few levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.library_logs import prepare_environment

if TYPE_CHECKING:
    from renderer.painting.painters import Painter
    from renderer.settings.render import RenderSettings


def create(settings: RenderSettings) -> Painter:
    """Load the model and make a painter of it, on the thread that will paint.

    Reads ``prompt``, ``model``, ``steps``, ``guidance_scale``, ``strength`` and ``scheduler`` of
    the settings. May download gigabytes, once. Raises SettingsError for a setting that this model
    can't use and PainterError, with the true cause, if the model can't be loaded.
    """
    settings.check_needs()
    with _libraries():
        from renderer.painting.painters.diffusion.loading import load
        from renderer.painting.painters.diffusion.painter import DiffusionPainter
    return DiffusionPainter(load(settings), settings)


def describe_device() -> str:
    """One line on the device that would paint. Loads torch; raises PainterError if that fails."""
    with _libraries():
        from renderer.painting.painters.diffusion.device import choose
    return choose().name


@contextmanager
def _libraries() -> Iterator[None]:
    """For importing what loads torch and diffusers. Raises PainterError where that fails."""
    prepare_environment()
    try:
        yield
    except (ImportError, OSError) as error:
        raise PainterError(
            f"torch or diffusers can't be loaded: {error}; install zoomtui anew"
        ) from error
