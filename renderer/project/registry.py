"""Where the engine meets its viewers: the state directory, and the list of known renders in it.

``~/.local/state/zoomtui`` (or under $XDG_STATE_HOME), for this user alone. Never under
$XDG_RUNTIME_DIR, which is removed at the last logout, while renders go on. An entry is only a
hint: what a project is doing is read from the project itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

from renderer.errors import StorageError
from renderer.files import replace_file, storage_errors

SOCKETS = "ZOOMTUI_SOCKETS"
"""Names another folder for sockets, in the environment: for engines that viewers reach through a
farm, on a machine whose state directory other machines may share."""
_LONGEST_ADDRESS = 107
"""Bytes that the path of a Unix socket may have (unix(7))."""


def state_directory() -> Path:
    """The directory itself; made on first use, 0700. Raises StorageError."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return _private(Path(base) / "zoomtui")


def private_directory(name: str) -> Path:
    """A directory inside it, for this user alone as well. Raises StorageError."""
    return _private(state_directory() / name)


def socket_path(folder: Path) -> Path:
    """Where the engine of the project at ``folder`` listens, if one runs. Raises StorageError."""
    name = f"{identity(folder)}.sock"
    place = os.environ.get(SOCKETS)
    path = (_private(Path(place)) if place else private_directory("sockets")) / name
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        return path
    import tempfile  # brings random numbers, compression and threads

    return _private(Path(tempfile.gettempdir()) / f"zoomtui-{os.getuid()}") / name


def summary_path(folder: Path) -> Path:
    """Where viewers keep what the journal of ``folder`` tells in sum. Raises StorageError."""
    return private_directory("summaries") / f"{identity(folder)}.json"


def recipients_path(folder: Path) -> Path:
    """Where it is kept who is told of the render of ``folder``. Raises StorageError."""
    return private_directory("recipients") / f"{identity(folder)}.json"


def remember(folder: Path) -> None:
    """Put the project at ``folder`` on the list of known renders. Raises StorageError."""
    entry = _entry(folder)
    replace_file(entry, json.dumps({"project": str(folder.resolve())}).encode(), durable=False)


def unlist(folder: Path) -> None:
    """Take ``folder`` off the list; the project itself stays. Raises StorageError."""
    for path in (_entry(folder), summary_path(folder), recipients_path(folder)):
        with storage_errors(path):
            path.unlink(missing_ok=True)


def known() -> list[Path]:
    """Every project on the list, newest first; some may have been moved or deleted since."""
    found = map(_read_entry, private_directory("renders").glob("*.json"))
    newest_first = sorted((entry for entry in found if entry is not None), reverse=True)
    return [folder for _, folder in newest_first]


def _read_entry(entry: Path) -> tuple[float, Path] | None:
    """(when it was put on the list, the project); None: it is gone, or was never one of ours."""
    try:
        folder = Path(json.loads(entry.read_text(encoding="utf-8"))["project"])
        return entry.stat().st_mtime, folder
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a hint that can't be read is no hint


def _entry(folder: Path) -> Path:
    return private_directory("renders") / f"{identity(folder)}.json"


def identity(folder: Path) -> str:
    """The same for every way of writing the same path."""
    return digest(folder.resolve())


def digest(path: Path) -> str:
    """``path`` as it is written, in 16 hexadecimal digits."""
    return hashlib.blake2b(os.fsencode(path), digest_size=8).hexdigest()


def _private(directory: Path) -> Path:
    """``directory``, made if need be, once it is certain that no other user can write there."""
    with storage_errors(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
        if stat.S_ISLNK(found.st_mode) or found.st_uid != os.getuid():
            raise StorageError(f"{directory} belongs to another user; remove it, or set another "
                               f"XDG_STATE_HOME")  # fmt: skip
        if found.st_mode & 0o077:
            directory.chmod(0o700)
    return directory
