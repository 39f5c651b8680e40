"""Every failure that is foreseen, and the exit code that each one means.

Every message is one line for the user: what, where, what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class RendererError(Exception):
    """Root of the tree; never raised itself. ``str(error)`` is one line fit for the user."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, field: str = "") -> None:
        """``field``: the setting, or other option given, that is to blame; empty: unknown."""
        super().__init__(message)
        self.field = field

    def naming(self, name: str) -> str:
        """The message, where it begins with the field's own name with ``name`` in its place."""
        text = str(self)
        begins = bool(self.field) and text.startswith(f"{self.field} ")
        return name + text.removeprefix(self.field) if begins else text


class SettingsError(RendererError):
    """A setting, option or input picture can't be used."""

    exit_code = 2


class ProjectError(RendererError):
    """The folder is no project, is damaged, or contradicts what is asked of it."""

    exit_code = 3


class ProjectBusy(ProjectError):
    """Another engine holds the project; the message says which."""

    exit_code = 4


class PainterError(RendererError):
    """The painter or its model can't be loaded, or can't paint."""

    exit_code = 5


class DeviceLost(PainterError):
    """The device failed in a way that poisons this process: only a new one can use it again."""

    exit_code = 8


class StorageError(RendererError):
    """The disk is full, read-only, or failed; what is committed stays playable."""

    exit_code = 6


class EncoderError(RendererError):
    """The encoder can't be opened on this machine, or failed."""

    exit_code = 7


class EngineCrashed(RendererError):
    """The engine's process was killed or crashed, and is not, or no longer, restarted."""

    exit_code = 9


class Cancelled(Exception):
    """Raised by ``on_step`` to leave a paint call early. No error: it never reaches the user."""


def error_of(exit_code: int, message: str) -> RendererError:
    """The error with which another process has ended."""
    kinds = (
        *(SettingsError, ProjectError, ProjectBusy, PainterError, DeviceLost),
        *(StorageError, EncoderError, EngineCrashed),
    )
    kind = next((kind for kind in kinds if kind.exit_code == exit_code), RendererError)
    return kind(message)


@contextmanager
def blaming(field: str) -> Iterator[None]:
    """Errors raised in the block that blame no field yet are made to blame this one."""
    try:
        yield
    except RendererError as error:
        error.field = error.field or field
        raise
