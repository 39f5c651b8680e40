"""What a name asks for: the container, what may be in it, and whether it can be written.

Loads nothing heavy and writes nothing.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from renderer.errors import SettingsError, StorageError
from renderer.settings.codecs import Codec, resolve


class Kind(StrEnum):
    FILM = "film"
    ANIMATION = "animation"
    PICTURES = "pictures"


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file."""

    suffix: str
    kind: Kind
    muxer: str
    """libav's name of it."""
    codecs: tuple[str, ...] = ()
    """Kinds of video that it may hold, the default first."""
    audio: str = ""
    """libav's encoder for the sound; empty: it holds none."""
    cover: bool = False
    """It can hold a cover picture."""

    @property
    def quicktime(self) -> bool:
        """MP4 or MOV: it names its codec by a four-letter tag, which players may insist on."""
        return self.muxer in ("mp4", "mov")


_ANY = ("h264", "hevc", "av1", "vp9")
CONTAINERS = (
    Container(".mp4", Kind.FILM, "mp4", _ANY, "aac", cover=True),
    Container(".mkv", Kind.FILM, "matroska", _ANY, "aac", cover=True),
    Container(".mov", Kind.FILM, "mov", ("h264", "hevc"), "aac"),
    Container(".webm", Kind.FILM, "webm", ("vp9", "av1"), "libopus"),
    Container(".gif", Kind.ANIMATION, "gif"),
    Container(".webp", Kind.ANIMATION, "webp"),
    Container(".png", Kind.ANIMATION, "apng"),
    Container(".apng", Kind.ANIMATION, "apng"),
)
PICTURES = Container("", Kind.PICTURES, "")
_NUMBER = r"%(?:0?[1-9])?d"
_NUMBERED = re.compile(rf"[^%]*{_NUMBER}[^%]*\.png", re.IGNORECASE)
PATTERN = "%06d.png"


@dataclass(frozen=True, slots=True)
class Target:
    """Where an export goes."""

    path: Path
    """The file; for pictures the folder that they go into."""
    container: Container
    pattern: str = ""
    """Name of each picture, with the frame's number in it."""

    @classmethod
    def of(cls, text: str) -> Target:
        """What the name ``text`` asks for. Raises SettingsError for one of no known kind.

        A name without an ending, or with a final ``/``, is a folder for pictures.
        """
        path = Path(text)
        if "%" in path.name:
            if not _NUMBERED.fullmatch(path.name):
                raise SettingsError(
                    f"{path.name} names no pictures; a number's place is written as in %06d.png",
                    "out",
                )
            return cls(path.parent, PICTURES, path.name)
        if text.endswith("/") or not path.suffix or path.is_dir():
            return cls(path, PICTURES, PATTERN)
        for container in CONTAINERS:
            if path.suffix.lower() == container.suffix:
                return cls(path, container)
        known = ", ".join(container.suffix for container in CONTAINERS)
        raise SettingsError(
            f"{path.name}: {path.suffix} is no kind of film that can be exported; use {known}, "
            f"or a folder for pictures",
            "out",
        )

    @property
    def folder(self) -> Path:
        """What is written into: a folder that is there takes the pictures itself."""
        return self.path if self.path.is_dir() else self.path.parent

    def name(self, frame: int) -> str:
        """File name of a picture."""
        return self.pattern % frame

    def left_over(self, frames: int) -> list[Path]:
        """Pictures that an export of more than ``frames`` has left there, in order; others with
        such names are the user's own. Raises OSError."""
        later = (self.path / self.name(number) for number in self._numbers() if number >= frames)
        return [path for path in later if _is_exported(path)]

    def _numbers(self) -> list[int]:
        """Of the pictures that are there, by their names, rising. Raises OSError."""
        start, end = re.split(_NUMBER, self.pattern)
        present = {path.name for path in self.path.iterdir()}
        found = {name.removeprefix(start).removesuffix(end).strip() for name in present}
        numbers = {int(number) for number in found if number.isdecimal()}
        return sorted(number for number in numbers if self.name(number) in present)

    def check(self, *, force: bool, frames: int) -> None:
        """Find out whether it can be written, without writing. SettingsError, StorageError."""
        folder = self.folder
        if not folder.is_dir():
            raise StorageError(f"can't write {self.path}: there is no folder {folder}; make it")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StorageError(f"can't write {self.path}: no permission to write into {folder}")
        if not self.path.name:
            raise SettingsError("name the file or folder to export to", "out")
        if self.container.kind is Kind.PICTURES:
            self._check_folder(force=force, frames=frames)
        elif self.path.is_dir():
            raise SettingsError(f"{self.path} is a folder; name a file", "out")
        elif self.path.exists() and not force:
            raise SettingsError(f"{self.path} exists; choose another name, or --force", "out")

    def _check_folder(self, *, force: bool, frames: int) -> None:
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise SettingsError(f"{self.path} is a file; name a folder for the pictures", "out")
        if force:
            return
        taken = [self.path / self.name(number) for number in self._numbers() if number < frames]
        for path in (*taken, *self.left_over(frames)):
            raise SettingsError(f"{path} exists; choose another folder, or --force", "out")


def _is_exported(path: Path) -> bool:
    from renderer.images import FAULTS, read_provenance  # Pillow, for pictures alone

    with suppress(*FAULTS):
        return bool(read_provenance(path))
    return False


def choose_codec(container: Container, asked: str | None, own: str) -> Codec:
    """The codec for a film: the one asked for, else the project's ``own`` where it fits.

    Raises SettingsError where the container can't hold what is asked for.
    """
    codec = resolve(own if asked is None else asked)
    if codec.name.partition("_")[0] in container.codecs:  # h264_nvenc makes h264
        return codec
    if asked is None:
        return resolve(container.codecs[0])
    raise SettingsError(
        f"{container.suffix} can't hold {codec.name}; use {' or '.join(container.codecs)}, or an "
        f".mkv",
        "codec",
    )
