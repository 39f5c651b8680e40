"""A project as an export sees it: what is committed now, also while it is being rendered.

Never takes the lock, never recovers, never writes into the project. Knows how projects lie on disk;
what becomes of them is for ``plan`` and ``run``.
"""

from __future__ import annotations

import json
from pathlib import Path

from renderer import __version__
from renderer.errors import SettingsError
from renderer.export.containers import Target
from renderer.export.plan import Plan, make_plan
from renderer.export.run import OnProgress, SideBySide, export
from renderer.export.source import CanvasFile, Footage
from renderer.film.records import committed, records_of_film
from renderer.painting.geometry import Geometry
from renderer.project.history import History
from renderer.project.records import (
    EXPORTS,
    FILM,
    OWN,
    SETTINGS,
    path_of,
    read_records,
    read_settings,
)
from renderer.settings.export import ExportOptions
from renderer.settings.render import RenderSettings

__all__ = [
    "ExportOptions",
    "OnProgress",
    "Plan",
    "SideBySide",
    "export",
    "plan_export",
    "read_footage",
]


def plan_export(project: Path, out: str, options: ExportOptions) -> Plan:
    """Settle an export of the project to the file or folder named ``out``; writes nothing.

    Raises ProjectError, SettingsError, StorageError or EncoderError for what can't be done.
    """
    target = Target.of(out)
    _refuse_what_projects_are_made_of(target.path)
    return make_plan(read_footage(project), target, options)


def _refuse_what_projects_are_made_of(path: Path) -> None:
    """Even with --force no user wants a film that can't be continued, or lost keyframes."""
    place = path.resolve()
    for folder in (place, *place.parents):
        if (folder / SETTINGS).is_file():
            within = place.relative_to(folder).parts
            if not within or within[0] in OWN:
                raise SettingsError(
                    f"{path} is what the project {folder} is made of, and not to be written over; "
                    f"name another place, such as {folder / EXPORTS / (path.name or 'film.mp4')}",
                    "out",
                )
            return


def read_footage(project: Path) -> Footage:
    """What of the project is committed: keyframes as journalled, the film to its committed end.

    Raises ProjectError or SettingsError when it is no readable project.
    """
    settings = read_settings(project)
    records = read_records(project)
    segments = committed(records)
    history = History(records)
    canvases = history.keyframes[1:]
    return Footage(
        settings=settings,
        canvas_size=Geometry.of(settings).canvas_size,
        canvases=tuple(
            CanvasFile(path_of(project, stored), stored.crc, stored.dives_to, stored.stops)
            for stored in canvases
        ),
        film=project / FILM,
        film_length=segments[-1].offset + segments[-1].length if segments else 0,
        film_frames=sum(segment.frames for segment in segments),
        film_records=tuple(records_of_film(records)),
        prompts=tuple(history.settings_at(settings, stored.keyframe).prompt for stored in canvases),
        marks=history.marks,
        provenance=_provenance(settings, history),
    )


def _provenance(settings: RenderSettings, history: History) -> str:
    """Prompts, seed, model and everything else that the film follows from, as JSON."""
    steered = [
        {"from_keyframe": steering.from_keyframe, **steering.changes}
        for steering in history.steering
    ]
    made = {"zoomtui": __version__, "settings": settings.plain(), "steered": steered}
    return json.dumps(made, ensure_ascii=False, sort_keys=True)
