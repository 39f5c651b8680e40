"""The film that runs the other way, made of a finished project that was asked for one.

Knows how to make it and what to report; ``service.run_engine`` decides when, and to whom.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from renderer.engine.events import Event, Note
from renderer.errors import Cancelled, ProjectError, RendererError
from renderer.files import storage_errors
from renderer.project.records import EXPORTS

_STOPPED = "a stop was asked for"


@dataclass(frozen=True, slots=True)
class OtherWay:
    """What is to be made for the project at ``folder``."""

    folder: Path
    direction: Literal["in", "out"]
    stopped: Callable[[], bool]
    """Whether it is not wanted any more; asked now and then."""

    @property
    def path(self) -> Path:
        return self.folder / EXPORTS / f"{self.direction}.mp4"

    def make(self, tell: Callable[[Event], None]) -> int | None:
        """Make it, reporting what is done; returns the exit code, None where a stop prevented it.

        Whatever happens, the project and its film stay as they are, and no unfinished file is left.
        """
        if self.stopped():
            tell(self._unmade(_STOPPED))
            return None
        tell(Note(f"making the film zooming {self.direction}: {self.path}"))
        try:
            self._export()
        except Cancelled:
            tell(self._unmade(_STOPPED))
            return None
        except RendererError as error:
            tell(self._unmade(str(error), lasting=isinstance(error, ProjectError)))
            return error.exit_code
        tell(Note(f"the film zooming {self.direction} is {self.path}"))
        return 0

    def _export(self) -> None:
        from renderer.export.of_project import ExportOptions, export, plan_export

        with storage_errors(self.path):
            self.path.parent.mkdir(exist_ok=True)
        options = ExportOptions(direction=self.direction, force=True)
        export(plan_export(self.folder, str(self.path), options), self._heed)

    def _heed(self, done: int, frames: int) -> None:
        if done < frames and self.stopped():
            raise Cancelled

    def _unmade(self, why: str, *, lasting: bool = False) -> Note:
        """``lasting``: what is in the way stays there, so that trying again is no help."""
        said = f"the film zooming {self.direction} was not made: {why}"
        if lasting:
            return Note(said)
        again = f"zoomtui export {shlex.quote(str(self.folder))} {self.direction}.mp4 "
        again += f"--direction {self.direction}"
        return Note(f"{said}; `{again}` makes it")
