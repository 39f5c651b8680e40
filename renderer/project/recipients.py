"""Who is told what happens to a render: a command, addresses, a file of metrics.

They are the user's, not the project's, and addresses hold secrets: they are kept in the state
directory, for this user alone, and no project brings any along. Where nothing was said of a project
the environment gives the user's defaults. Knows nothing of how anything is delivered.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import msgspec

from renderer.errors import SettingsError, StorageError
from renderer.files import replace_file
from renderer.project import registry

ON_EVENT, NOTIFY = "ZOOMTUI_ON_EVENT", "ZOOMTUI_NOTIFY"
"""Environment variables with the defaults."""
UNWANTED = ("", "none")
"""Says that there is to be none."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Of one project. None: nothing was said; empty: none is wanted."""

    command: tuple[str, ...] | None = field(default=None, repr=False)
    """Program and arguments."""
    urls: tuple[str, ...] | None = field(default=None, repr=False)
    """Addresses as Apprise knows them."""
    metrics: str | None = None
    """File, absolute."""

    def over(self, others: Recipients) -> Recipients:
        """These, and where nothing was said the others."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(others, **said)


def defaults() -> Recipients:
    """Those that the environment names. Raises SettingsError."""
    urls = urls_of(os.environ.get(NOTIFY, "").split())
    return Recipients(command_of(os.environ.get(ON_EVENT, ""), ON_EVENT), urls)


def command_of(line: str, where: str = "--on-event") -> tuple[str, ...]:
    """Program and arguments of a command line, which no shell sees. Raises SettingsError.

    ``where`` it stands, for the error.
    """
    if line.strip() in UNWANTED:
        return ()
    try:
        program, *arguments = shlex.split(line)
    except ValueError as error:
        raise SettingsError(f"{where} can't be read: {error}") from None
    found = shutil.which(program)
    if found is None:
        raise SettingsError(f"{where}: {program!r} is no program that can be run here")
    return os.path.abspath(found), *arguments  # noqa: PTH100 - a link keeps its own name


def urls_of(words: Iterable[str]) -> tuple[str, ...]:
    """Addresses as they were given."""
    return tuple(word for word in words if word not in UNWANTED)


def metrics_of(file: str) -> str:
    """The file, absolute. Raises SettingsError where it can't be one."""
    if file in UNWANTED:
        return ""
    path = Path(file).absolute()
    if not os.access(path.parent, os.W_OK) or path.is_dir():
        raise SettingsError(f"--metrics: no file can be written at {path}")
    if path.suffix != ".prom":  # any other file there would be written over, whatever it holds
        raise SettingsError(f"--metrics: {file} must end in .prom, as the collector wants it")
    return str(path)


def recipients_of(folder: Path) -> Recipients:
    """Those of the project at ``folder``; where none can be read, nothing was said."""
    try:
        return msgspec.convert(
            json.loads(registry.recipients_path(folder).read_bytes()), Recipients
        )
    except (OSError, StorageError, ValueError):
        return Recipients()


def keep(folder: Path, recipients: Recipients) -> None:
    """From now on they are those of ``folder``. Raises StorageError."""
    path = registry.recipients_path(folder)
    replace_file(path, json.dumps(asdict(recipients)).encode(), mode=0o600)


def forget(folder: Path) -> None:
    """``folder`` is new: those of a project that lay there before are not its own."""
    with suppress(OSError, StorageError):  # none can be read from there either
        registry.recipients_path(folder).unlink(missing_ok=True)
