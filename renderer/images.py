"""Pictures in and out: a user's file made ready, and keyframes as PNG with their provenance.

All pictures are (H, W, 3) uint8 sRGB arrays. Knows no project and no painter.
"""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import warnings
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from renderer.errors import ProjectError, SettingsError
from renderer.files import Place, open_plain, replace_file
from renderer.settings.film import MIN_SIDE
from renderer.settings.plain_values import Size, dimensions

Picture = NDArray[np.uint8]

PROVENANCE_KEY = "zoomtui"
"""The PNG text chunk (iTXt, UTF-8 JSON) that says how a keyframe was made."""

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")
"""Kinds of pictures that a user may bring."""

_HEADER = 8 + 12 + 13
"""Bytes of a PNG before its second chunk: signature, and IHDR (PNG specification, 5.2 and 11.2)."""

_MAX_PIXELS = 2**28
Image.MAX_IMAGE_PIXELS = 2**30  # the largest canvas; Pillow refuses what is above twice that
FAULTS = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    ValueError,
    SyntaxError,  # Pillow's way of saying that a PNG is broken
    RecursionError,  # provenance that no zoomtui has written
)
"""What is raised for a file that holds no picture, or no provenance, that can be read."""


def load_picture(path: Path) -> Picture:
    """A user's picture as sRGB, upright (EXIF orientation), over black where transparent.

    Its own colour profile is heeded; of an animation the first picture is taken. Raises
    SettingsError with one line when it can't be read, is of none of ``FORMATS``, or is smaller than
    64 px.
    """
    try:
        with warnings.catch_warnings(), _plain_file(path).open("rb") as stream:
            warnings.simplefilter("ignore")
            with Image.open(stream, formats=_formats()) as file:
                _check_bounds(path, file.size)
                upright = ImageOps.exif_transpose(file)
                rgba = _in_srgb(_in_eight_bits(upright)).convert("RGBA")
    except FAULTS as error:
        raise SettingsError(f"picture {path} can't be read: {_reason(error)}") from None
    opaque = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
    opaque.alpha_composite(rgba)
    return np.asarray(opaque.convert("RGB"))


def _plain_file(path: Path) -> Path:
    """Refuses a pipe, which would be waited for, perhaps for ever."""
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        raise ValueError("it is no plain file")
    return path


@cache
def _formats() -> tuple[str, ...]:
    """Those that this Pillow has. Others stay shut: some of them run programs (EPS)."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _in_srgb(image: Image.Image) -> Image.Image:
    """By its embedded profile (ICC), where there is one that can be used."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        own, srgb = io.BytesIO(profile), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, own, srgb, outputMode=mode)
    except ImageCms.PyCMSError:
        return image
    return image if converted is None else converted


def _check_bounds(path: Path, size: Size) -> None:
    if min(size) < MIN_SIDE:
        raise SettingsError(
            f"picture {path} is {size[0]}x{size[1]}; both sides must be at least {MIN_SIDE} px"
        )
    if size[0] * size[1] > _MAX_PIXELS:
        raise SettingsError(
            f"picture {path} is {size[0]}x{size[1]}; scale it down to at most 16384x16384"
        )


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Deeper greys scaled, where Pillow's own conversion cuts them off at 255.

    ``I`` holds 16 bits in 32; ``F`` is 0 to 1, as other programs write it.
    """
    if image.mode == "F":
        return Image.fromarray((np.clip(np.asarray(image), 0, 1) * 255 + 0.5).astype(np.uint8))
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.clip(np.asarray(image), 0, 65535) >> 8).astype(np.uint8))


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"not a recognised image format; use {', '.join(_formats())}"
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    if isinstance(error, PermissionError):
        return "no permission"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def crop_to_fill(picture: Picture, size: Size) -> Picture:
    """The largest middle part of ``picture`` with the aspect of ``size``, resampled (Lanczos-3)."""
    return np.asarray(ImageOps.fit(Image.fromarray(picture), size, Image.Resampling.LANCZOS))


def compressed(picture: Picture) -> bytes:
    """The picture as PNG; what takes long of writing a keyframe, and can be done on any thread.

    Painted pictures hardly repeat themselves: looking for runs of equal bytes only is quicker than
    looking for all that was there before, and makes smaller files.
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def write_keyframe(
    path: Path, picture: Picture | bytes, provenance: dict[str, Any], at: Place | None = None
) -> tuple[int, int]:
    """Write a keyframe durably as PNG; returns its (length in bytes, CRC-32).

    ``picture``: (H, W, 3) sRGB, or that ``compressed``. ``at``: the folder that ``path`` lies in,
    if it is held open. Raises StorageError.
    """
    png = picture if isinstance(picture, bytes) else compressed(picture)
    text = PngImagePlugin.PngInfo()
    text.add_itxt(PROVENANCE_KEY, json.dumps(provenance, ensure_ascii=False, sort_keys=True))
    ((kind, content, *_),) = text.chunks
    chunk = struct.pack(">I", len(content)) + kind + content
    data = png[:_HEADER] + chunk + struct.pack(">I", zlib.crc32(kind + content)) + png[_HEADER:]
    replace_file(path, data, at=at)
    return len(data), zlib.crc32(data)


def read_keyframe(path: Path, size: Size, crc: int) -> Picture:
    """A keyframe as it was written. Raises ProjectError when it is missing, damaged or resized."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProjectError(f"keyframe {path} can't be read: {error.strerror}") from None
    if zlib.crc32(data) != crc:
        raise ProjectError(
            f"keyframe {path} is not the file that was written (its checksum differs); "
            f"restore it from a copy: the film so far needs no repair"
        )
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.size != size:
                raise ProjectError(
                    f"keyframe {path} is {dimensions(image.size)}, not {dimensions(size)}: "
                    f"project.toml no longer belongs to this project"
                )
            return np.asarray(image.convert("RGB"))
    except FAULTS as error:
        raise ProjectError(f"keyframe {path} can't be read: {_reason(error)}") from None


def small_jpeg(path: Path, side: int) -> bytes:
    """A keyframe's file as JPEG, at most ``side`` pixels wide and high. Raises one of FAULTS."""
    with os.fdopen(open_plain(path), "rb") as file, Image.open(file, formats=("PNG",)) as image:
        image.thumbnail((side, side), reducing_gap=2.0)
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def read_provenance(path: Path) -> dict[str, Any]:
    """How a keyframe was made; empty for a PNG from elsewhere. Raises one of FAULTS."""
    with Image.open(path, formats=("PNG",)) as image:  # it is before the pixels, as zoomtui puts it
        text = image.info.get(PROVENANCE_KEY, "{}")
    return msgspec.convert(json.loads(text), dict[str, Any])
