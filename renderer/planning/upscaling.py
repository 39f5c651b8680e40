"""What ``upscale`` and ``upscaler`` need of each other and of this machine. Loads no model."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from renderer.errors import SettingsError
from renderer.files import is_file
from renderer.settings.presets import CHECKPOINT
from renderer.settings.render import RenderSettings


def check_upscaling(settings: RenderSettings) -> None:
    """Raise SettingsError, naming the setting to blame, where nothing could be enlarged."""
    upscale, upscaler = settings.upscale, settings.upscaler
    if upscale == 1:
        if upscaler:
            raise SettingsError("upscaler enlarges nothing without --upscale 2 or 4", "upscaler")
        return
    if settings.method == "refine":
        raise SettingsError(
            "upscale is for films that zoom out; a dive (--method refine) paints large canvases in "
            "tiles",
            "upscale",
        )
    if find_spec("spandrel") is None:
        raise SettingsError(
            f"upscale {upscale} needs spandrel: pip install 'zoomtui[upscale]'", "upscale"
        )
    if not upscaler:
        raise SettingsError(
            f"upscaler is empty: upscale {upscale} enlarges with a super-resolution model, which "
            f"zoomtui does not bring; name one, --upscaler FILE{CHECKPOINT}",
            "upscaler",
        )
    if not upscaler.endswith(CHECKPOINT):
        raise SettingsError(
            f"upscaler {upscaler} is no {CHECKPOINT} file; other formats may run code when opened",
            "upscaler",
        )
    if not is_file(Path(upscaler)):
        raise SettingsError(f"upscaler {upscaler}: there is no such file", "upscaler")
