"""All renders that are known here, and what each of them is doing: read, never trusted from memory.

The list of renders only says where to look (``renderer.project.registry``). Whether an engine is at
work is asked of the project's lock, which the kernel drops with its holder; what it holds is read
from its journal, and only again when that has changed. Blocking: for a thread of its own. Knows no
screen.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from renderer.engine.facts import WAITING
from renderer.engine.state import RenderState
from renderer.errors import RendererError
from renderer.files import free_bytes
from renderer.project import registry
from renderer.project.records import JOURNAL, SESSION, SETTINGS, name_of
from renderer.project.session_record import renders
from renderer.project.status import State, Status, read_status
from renderer.queue.jobs import Job, Turn, own_queue
from renderer.service.glance import glance

_UNREADABLE = (RendererError, OSError, ValueError, KeyError, TypeError, RecursionError)
"""What a folder that only looks like a project may raise: a journal of something else is no bug."""


@dataclass(frozen=True, slots=True)
class Render:
    """One project, at the moment it was looked at."""

    folder: Path
    state: State
    status: Status | None = None
    """None: it can't be read; ``why`` gives the reason."""
    why: str = ""
    """Why it can't be read, or failed."""
    changed: float = 0.0
    """Unix time of the last keyframe, segment or steering; 0: can't be told."""
    listed: bool = True
    """It is on the list of renders, which it can be taken off."""
    engine: RenderState | None = None
    """What the engine says of itself, where one runs and answers."""
    job: Job | None = None
    """Of the user's own queue, if it is in it."""
    turn: int = 0
    """Its place among those that wait there, from 1; 0: it doesn't."""

    @property
    def name(self) -> str:
        return name_of(self.folder)

    @property
    def parent(self) -> str:
        """The folder of the project that it is a branch of; empty: it is none."""
        return self.status.parent if self.status else ""

    @property
    def keyframes(self) -> int:
        """0 where that can't be told."""
        return self.status.keyframes if self.status else 0

    @property
    def size(self) -> int:
        """Bytes of film and keyframes."""
        return self.status.film_size + self.status.keyframes_size if self.status else 0


@dataclass(frozen=True, slots=True)
class Scan:
    """All renders at one moment, in no particular order."""

    renders: tuple[Render, ...] = ()
    free: int | None = None
    """Bytes free where new projects would be made."""
    problem: str = ""
    """Why the list of renders can't be read, in one line; empty: it can."""
    gpus: tuple[float, ...] = ()
    """How busy each of them is, percent; read by those that show it."""


class Reader:
    """Looks at all projects again and again, and reads only those that changed."""

    def __init__(self, here: Path) -> None:
        self._here = here
        self._seen: dict[Path, tuple[tuple[object, ...], Render]] = {}

    def read(self) -> Scan:
        """The renders on the list, and the ``*.zoom`` folders in the current directory."""
        folders, problem = _find(self._here)
        self._seen = {folder: seen for folder, seen in self._seen.items() if folder in folders}
        renders = {folder: self._look(folder, listed) for folder, listed in folders.items()}
        waiting = 0
        for job in _queued():
            waits = job.turn is Turn.WAITING
            waiting += waits
            if (render := renders.get(job.folder)) is not None:
                renders[job.folder] = replace(render, job=job, turn=waiting if waits else 0)
        return Scan(tuple(renders.values()), free_bytes(self._here), problem)

    def folders(self) -> list[Path]:
        """Where they are; none of them is looked into."""
        return list(_find(self._here)[0])

    def _look(self, folder: Path, listed: bool) -> Render:
        try:
            held = renders(folder)
            versions = (_version(folder / name) for name in (JOURNAL, SETTINGS, SESSION))
            key = (listed, held, *versions)
            seen = self._seen.get(folder)
            if seen is None or seen[0] != key:
                seen = self._seen[folder] = key, _read(folder, listed)
        except _UNREADABLE as error:
            return Render(folder, State.DAMAGED, why=_line(error), listed=listed)
        return _with_engine(seen[1]) if held else seen[1]


def running(here: Path) -> list[Path]:
    """Those that are rendered now; nothing of them is read."""
    return [folder for folder in _find(here)[0] if _is_rendered(folder)]


def _is_rendered(folder: Path) -> bool:
    with contextlib.suppress(*_UNREADABLE):
        return renders(folder) is not None
    return False


def _find(here: Path) -> tuple[dict[Path, bool], str]:
    """(folder → whether it is on the list, why the list can't be read)."""
    listed, problem = _listed()
    folders = dict.fromkeys(listed, True)
    for folder in _projects_in(here):
        folders.setdefault(folder, False)
    return folders, problem


def _listed() -> tuple[list[Path], str]:
    try:
        return registry.known(), ""
    except (RendererError, OSError) as error:
        return [], _line(error)


def _queued() -> list[Job]:
    """The jobs of the user's own queue.

    One that can't be read is none: the list is of renders, and `zoomtui queue ls` says why.
    """
    try:
        return own_queue().jobs()
    except (RendererError, OSError):
        return []


def _projects_in(here: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(path.parent.resolve() for path in here.glob(f"*.zoom/{SETTINGS}"))
    return []


def _version(path: Path) -> tuple[int, int]:
    """Changes whenever the file does; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _read(folder: Path, listed: bool) -> Render:
    """Raises OSError where it can't be told whether the folder is there."""
    if not folder.is_dir():
        why = "moved or deleted; x forgets it, and opening it at its new place lists it again"
        return Render(folder, State.MISSING, why=why, listed=listed)
    changed = _version(folder / JOURNAL)[0] / 1e9
    try:
        status = read_status(folder)
    except _UNREADABLE as error:
        return Render(folder, State.DAMAGED, why=_line(error), changed=changed, listed=listed)
    why = status.session.failure if status.state is State.FAILED else ""
    return Render(folder, status.state, status, why, changed, listed)


def _with_engine(render: Render) -> Render:
    """The same with what its engine says; one that does not answer is running all the same."""
    engine = glance(render.folder)
    state = WAITING.get(engine.phase, render.state) if engine else render.state
    return replace(render, state=state, engine=engine)


def _line(error: BaseException) -> str:
    if isinstance(error, RendererError):
        return str(error)
    if isinstance(error, OSError):
        return f"can't be read: {error.strerror or error}"
    return f"holds what no zoomtui writes ({type(error).__name__}: {error})"
