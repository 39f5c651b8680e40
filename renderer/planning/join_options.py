"""How borders are joined, painter by painter: what has no effect, and what contradicts itself.

What suits a model stands with its preset (``settings/presets.py``). Knows settings and
painters by name only.
"""

from __future__ import annotations

import math

from renderer.errors import SettingsError
from renderer.settings.render import RenderSettings

SUGGESTED = ("overmask", "feather")
"""Settings that a model's preset suggests. Colour fit and drift guard suit all models alike: the
one measures what a model did, the other acts only where colours have left the first picture's."""

NOTHING_ANEW = {"overmask": 0, "seam_pass": 0}
"""Settings by which known pixels are painted anew; as they are for the texture painter."""


def check_joining(settings: RenderSettings) -> None:
    """Raise SettingsError for what can't be done with this painter, or not in so few steps."""
    if settings.painter == "texture":
        for name in NOTHING_ANEW:
            if getattr(settings, name):
                option = name.replace("_", "-")
                raise SettingsError(
                    "the texture painter finds its own joins and keeps what is there; "
                    f"--{option} is for diffusion",
                    name,
                )
    share = settings.seam_pass
    if share and math.floor(settings.steps * share) < 1:
        raise SettingsError(
            f"seam_pass {share:g} of {settings.steps} steps leaves no step to do; it must be at "
            f"least {1 / settings.steps:.3g}, or 0",
            "seam_pass",
        )


def joining_notes(settings: RenderSettings) -> list[str]:
    """What the user should know about how joins will look."""
    if settings.overmask and not settings.feather:
        return [
            "with feather 0 the picture's edge will show, because the border goes on from what "
            "--overmask lets the painter draw anew"
        ]
    return []
