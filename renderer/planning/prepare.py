"""From settings to a project that can be rendered: what the command line and the form share.

``prepare`` refuses all that can be refused before anything is written; ``create`` writes. Both may
take a second (a picture is read, the encoder is tried), and load what they need only when called.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renderer.errors import RendererError, SettingsError, blaming
from renderer.planning.prompt_file import Changes, Places
from renderer.settings.render import RenderSettings

if TYPE_CHECKING:
    from renderer.images import Picture


@dataclass(frozen=True, slots=True)
class Prepared:
    """A project to be, checked."""

    folder: Path
    settings: RenderSettings
    picture: Picture | None
    """Keyframe 0, at the keyframe size; None: it is painted."""
    exemplar: Path | None
    changes: Changes = ()
    """Of later keyframes, plain values."""
    places: tuple[tuple[int, Picture], ...] = ()
    """Pictures that later keyframes are to show, of the canvas's size."""

    def create(self) -> None:
        """Make the project, whole or not at all. Raises RendererError."""
        from renderer.project.create import create_project

        create_project(
            self.folder,
            self.settings,
            picture=self.picture,
            exemplar=self.exemplar,
            changes=self.changes,
            places=self.places,
        )


def prepare(
    folder: Path,
    settings: RenderSettings,
    image: Path | None = None,
    exemplar: Path | None = None,
    changes: Changes = (),
    places: Places = (),
) -> Prepared:
    """Read the pictures, find the painter, try the encoder. Raises RendererError."""
    from renderer.film.encode import Encoding, probe
    from renderer.images import crop_to_fill, load_picture
    from renderer.painting.painters import find
    from renderer.planning.painter_choice import preset_like
    from renderer.project.create import refuse_occupied
    from renderer.project.placing import read_for_canvas
    from renderer.settings.presets import NO_FIRST_PICTURE

    picture = None
    with blaming("folder"):
        refuse_occupied(folder)
    with blaming("image"):
        if image is not None:
            picture = crop_to_fill(load_picture(image), settings.keyframe_size)
        elif settings.painter == "diffusion" and preset_like(settings.model).dives_only:
            raise SettingsError(f"{settings.model} {NO_FIRST_PICTURE}")
    if exemplar is not None:
        with blaming("exemplar"):
            load_picture(exemplar)
    shown = tuple((keyframe, read_for_canvas(path, settings)) for keyframe, path in places)
    with blaming("painter"):
        find(settings.painter)
    with blaming("codec"):
        probe(Encoding.of(settings))
    return Prepared(folder, settings, picture, exemplar, tuple(_planned(settings, changes)), shown)


def _planned(settings: RenderSettings, changes: Changes) -> Iterator[tuple[int, dict[str, Any]]]:
    """``changes`` with what they bring along. Raises SettingsError for what can't be."""
    from renderer.planning.defaults import changes as complete

    for keyframe, change in changes:
        with blaming("prompts"):
            whole = complete(settings, change)
        settings = settings.changed(whole)
        yield keyframe, whole


def begin(prepared: Prepared) -> None:
    """Make the project and start an engine for it that belongs to no terminal.

    Raises RendererError; nothing is then left of the project, unless something was painted.
    """
    from renderer.service.launch import launch

    with blaming("folder"):
        prepared.create()
        try:
            launch(prepared.folder)
        except RendererError:
            from renderer.project.create import discard_unpainted

            with contextlib.suppress(RendererError):
                discard_unpainted(prepared.folder)
            raise


def free_folder(where: Path, prompt: str, taken: Collection[Path] = ()) -> Path:
    """A folder that is not there yet, named after the prompt: ``a-coral-reef.zoom``.

    Nor is it ``taken``. Raises SettingsError where ten thousand of that name are there.
    """
    words = re.findall(r"[^\W_]+", prompt[:1000].lower())[:5]
    stem = "-".join(words)[:48].rstrip("-") or "film"
    for number in range(1, 10_000):
        folder = where / (f"{stem}.zoom" if number == 1 else f"{stem}-{number}.zoom")
        if folder not in taken and not folder.exists():
            return folder
    raise SettingsError(f"too many projects here are named {stem}; give --out", "folder")


def named(folder: Path) -> Path:
    """``folder`` by a path that ends in its name, which ``.`` and ``..`` don't."""
    return folder if folder.name not in {"", ".."} else folder.resolve()
