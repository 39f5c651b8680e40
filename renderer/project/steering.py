"""Which changes to the settings a film still allows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renderer.errors import ProjectError
from renderer.settings.render import STEERABLE, RenderSettings


def what_changes(
    now: RenderSettings, changes: Mapping[str, Any], *, begun: int, finished: bool
) -> dict[str, Any]:
    """Those ``changes`` to ``now``, plain values, that change something from ``begun`` on.

    Raises ProjectError for what would contradict the film, which may be ``finished``; SettingsError
    for a value that can't be used.
    """
    wanted = now.changed(changes)
    before, after = now.plain(), wanted.plain()
    changed = {key: after[key] for key in changes if after[key] != before[key]}
    for key in changed:
        if key not in STEERABLE:
            raise ProjectError(
                f"{key} is fixed at {before[key]} since the project was made: the film so far "
                f"depends on it; start a new project to change it"
            )
    if changed:
        _check_length(wanted.keyframes, begun, finished)
        wanted.check_needs()
    return changed


def _check_length(count: int | None, begun: int, finished: bool) -> None:
    """A film can't get fewer keyframes than are begun, and a finished one needs more."""
    if count is not None and count < begun:
        raise ProjectError(
            f"keyframes can't be {count}: {begun} are painted already; choose {begun} or more"
        )
    if finished and count is not None and count <= begun:
        raise ProjectError(
            f"the film is finished with {begun} keyframes, so nothing will be painted; "
            f"lengthen it as well: `zoomtui resume` with --keyframes {begun + 10} or --keyframes "
            f"inf, or `zoomtui steer` with keyframes={begun + 10}"
        )
