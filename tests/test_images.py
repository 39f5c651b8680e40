"""Pictures in and out: any file a user has, and keyframes exactly as they were."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image, ImageCms, PngImagePlugin, features

from renderer.errors import ProjectError, SettingsError, StorageError
from renderer.images import (
    FAULTS,
    FORMATS,
    PROVENANCE_KEY,
    crop_to_fill,
    load_picture,
    read_keyframe,
    read_provenance,
    write_keyframe,
)


def ramp(width: int = 96, height: int = 64) -> Image.Image:
    """Red grows to the right, green downwards; the top left corner is blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, :, 0] = np.linspace(0, 255, width).round()
    pixels[:, :, 1] = np.linspace(0, 255, height).round()[:, None]
    pixels[:8, :8] = (0, 0, 255)
    return Image.fromarray(pixels)


# ---------------------------------------------------------------------------- users' pictures


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_held_askew_makes_an_upright_picture(tmp_path: Path, orientation: int) -> None:
    turns = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    stored = ramp()
    for turn in turns.get(orientation, []):
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(load_picture(tmp_path / "a.png"), np.asarray(ramp()))


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [
        ("RGB", "png", (200, 100, 50)),
        ("RGBA", "png", (200, 100, 50)),
        ("P", "png", (204, 102, 51)),
        ("L", "png", (124, 124, 124)),
        ("LA", "png", (124, 124, 124)),
        ("1", "png", (255, 255, 255)),
        ("CMYK", "tiff", (200, 100, 50)),
        ("YCbCr", "tiff", (200, 100, 50)),
    ],
)
def test_any_mode_becomes_rgb(
    tmp_path: Path, mode: str, kind: str, expected: tuple[int, int, int]
) -> None:
    path = tmp_path / f"a.{kind}"
    source = Image.new("RGB", (80, 70), (200, 100, 50))
    if mode == "P":
        source = source.convert("P", dither=Image.Dither.NONE)
    else:
        source = Image.new("1", (80, 70), 1) if mode == "1" else source.convert(mode)
    source.save(path)
    picture = load_picture(path)
    assert picture.shape == (70, 80, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert np.abs(picture.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bit_greys_are_scaled_and_not_cut_off(tmp_path: Path, kind: str) -> None:
    greys = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (64, 1))
    Image.fromarray(greys).save(tmp_path / f"a.{kind}")
    picture = load_picture(tmp_path / f"a.{kind}")
    np.testing.assert_array_equal(picture[0, :, 0], np.arange(256))


def test_what_is_clear_becomes_black(tmp_path: Path) -> None:
    source = Image.new("RGBA", (64, 64), (200, 100, 50, 0))
    source.paste((200, 100, 50, 255), (0, 0, 32, 64))
    source.save(tmp_path / "a.png")
    picture = load_picture(tmp_path / "a.png")
    assert tuple(picture[0, 0]) == (200, 100, 50)
    assert tuple(picture[0, 63]) == (0, 0, 0)


def test_an_animation_gives_its_first_picture(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (64, 64), (255, 0, 0)), Image.new("RGB", (64, 64), (0, 0, 255))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert tuple(load_picture(tmp_path / "a.gif")[0, 0]) == (255, 0, 0)


def broken(tmp_path: Path, name: str) -> Path:
    """A file that is no picture, in one of many ways."""
    path = tmp_path / name
    buffer = io.BytesIO()
    ramp().save(buffer, "JPEG" if name.endswith("jpg") else "PNG")
    whole = buffer.getvalue()
    if name.startswith("cut"):
        path.write_bytes(whole[: len(whole) // 2])
    elif name.startswith("spoilt"):
        path.write_bytes(whole[:60] + bytes(50) + whole[110:])
    elif name.startswith("empty"):
        path.write_bytes(b"")
    elif name.startswith("folder"):
        path.mkdir()
    else:
        path.write_text("Dear diary, today I saw a picture.")
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cut.png", "truncated"),
        ("cut.jpg", "truncated"),
        ("spoilt.png", "broken data stream"),
        ("empty.png", "not a recognised image format; use PNG, JPEG, WEBP"),
        ("text.png", "not a recognised image format; use PNG, JPEG, WEBP"),
        ("folder.png", "it is a folder"),
    ],
)
def test_what_is_no_picture_is_one_line(tmp_path: Path, name: str, reason: str) -> None:
    path = broken(tmp_path, name)
    with pytest.raises(SettingsError) as caught:
        load_picture(path)
    assert str(caught.value).startswith(f"picture {path} can't be read: ")
    assert reason.lower() in str(caught.value).lower()
    assert "\n" not in str(caught.value)


def test_a_picture_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"a\.png can't be read: it does not exist$"):
        load_picture(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["EPS", "PPM", "TGA", "ICO", "PSD"])
def test_other_formats_stay_shut_whatever_the_name(tmp_path: Path, kind: str) -> None:
    path, marker = tmp_path / "a.png", tmp_path / "ran"
    eps = f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 80 80\n({marker}) (w) file closefile\n"
    if kind == "EPS":
        path.write_text(eps)
    elif kind == "PSD":
        path.write_bytes(
            b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 80, 80, 8, 3) + bytes(99)
        )
    else:
        Image.new("RGB", (80, 80)).save(path, kind)
    with pytest.raises(SettingsError, match=r"not a recognised image format; use PNG, JPEG, WEBP"):
        load_picture(path)
    assert not marker.exists()


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(SettingsError, match="it is no plain file"):
        load_picture(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_every_format_that_is_named_comes_in_its_colours(tmp_path: Path, kind: str) -> None:
    if kind not in FORMATS or not features.check("avif" if kind == "AVIF" else "zlib"):
        pytest.skip(f"this Pillow has no {kind}")
    Image.new("RGB", (80, 70), (200, 100, 50)).save(tmp_path / "a.png", kind)
    picture = load_picture(tmp_path / "a.png").astype(int)
    assert picture.shape == (70, 80, 3)
    assert np.abs(picture - (200, 100, 50)).max() <= 4


def test_a_colour_profile_is_heeded(tmp_path: Path) -> None:
    """Made of sRGB's own, with red and green in each other's place."""
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {bytes(swapped[i : i + 4]): i for i in range(132, 132 + 12 * 20, 12)}
    red, green = at[b"rXYZ"] + 4, at[b"gXYZ"] + 4
    swapped[red : red + 8], swapped[green : green + 8] = (
        swapped[green : green + 8],
        swapped[red : red + 8],
    )
    source = Image.new("RGB", (80, 70), (220, 40, 40))
    source.save(tmp_path / "a.png", icc_profile=bytes(swapped))
    red_value, green_value, _ = load_picture(tmp_path / "a.png")[0, 0]
    assert green_value > 200 > 90 > red_value


def test_floats_are_scaled(tmp_path: Path) -> None:
    greys = np.tile(np.linspace(0, 1, 256, dtype=np.float32), (64, 1))
    Image.fromarray(greys).save(tmp_path / "a.tiff")
    picture = load_picture(tmp_path / "a.tiff")
    np.testing.assert_array_equal(picture[0, :, 0], np.arange(256))


def test_a_tiny_picture_is_refused(tmp_path: Path) -> None:
    ramp(200, 63).save(tmp_path / "a.png")
    with pytest.raises(SettingsError, match="is 200x63; both sides must be at least 64 px"):
        load_picture(tmp_path / "a.png")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("side", [20_000, 200_000])
def test_a_picture_that_would_fill_the_memory_is_refused_unread(tmp_path: Path, side: int) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    with pytest.raises(SettingsError) as caught:
        load_picture(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


# --------------------------------------------------------------------------------- cropping


def test_the_middle_is_kept_and_the_aspect_is_the_wanted_one() -> None:
    source = np.zeros((100, 300, 3), np.uint8)
    source[:, 100:200] = 255
    assert (crop_to_fill(source, (100, 100)) == 255).all()
    assert (crop_to_fill(source.transpose(1, 0, 2).copy(), (100, 100)) == 255).all()


def test_a_picture_of_the_right_size_is_left_as_it_is() -> None:
    picture = np.asarray(ramp())
    np.testing.assert_array_equal(crop_to_fill(picture, (96, 64)), picture)


@given(
    some.integers(64, 300), some.integers(64, 300), some.integers(64, 200), some.integers(64, 200)
)
def test_cropping_fills_the_frame_evenly(width: int, height: int, to_w: int, to_h: int) -> None:
    picture = np.asarray(ramp(width, height))[:, :, :2]
    cropped = crop_to_fill(np.dstack([picture, picture[:, :, :1]]), (to_w, to_h)).astype(int)
    assert cropped.shape == (to_h, to_w, 3)
    # Symmetric about the middle: what lacks on the left lacks on the right.
    inside = slice(to_h // 2, to_h // 2 + 1), slice(0, to_w)
    red = cropped[(*inside, 0)][0]
    assert abs((red[0] + red[-1]) - 255) <= 6 + 1500 // min(width, to_w)


# -------------------------------------------------------------------------------- keyframes


def test_a_keyframe_comes_back_exactly(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (72, 96, 3), np.uint8)
    path = tmp_path / "000001.png"
    length, crc = write_keyframe(path, picture, {"prompt": "sea"})
    assert path.stat().st_size == length
    assert zlib.crc32(path.read_bytes()) == crc
    np.testing.assert_array_equal(read_keyframe(path, (96, 72), crc), picture)
    assert [name.name for name in tmp_path.iterdir()] == ["000001.png"]


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"prompt": "Ærøskøbing, 海, 🌀, עברית ‮x", "seed": 2**63 - 1},
        {"prompt": 'quotes " and \\ and\nnew\tlines\r and \x00 nul', "seam": 0.25},
        {"prompt": "", "nested": {"list": [1, 2.5, None, True]}},
    ],
)
def test_how_a_keyframe_was_made_comes_back_exactly(
    tmp_path: Path, provenance: dict[str, Any]
) -> None:
    path = tmp_path / "a.png"
    write_keyframe(path, np.asarray(ramp()), provenance)
    assert read_provenance(path) == provenance


def test_equal_keyframes_are_equal_files(tmp_path: Path) -> None:
    made = [
        write_keyframe(tmp_path / name, np.asarray(ramp()), values)
        for name, values in (("a", {"x": 1, "y": 2}), ("b", {"y": 2, "x": 1}))
    ]
    assert made[0] == made[1]


def test_a_png_from_elsewhere_has_no_provenance(tmp_path: Path) -> None:
    ramp().save(tmp_path / "a.png")
    assert read_provenance(tmp_path / "a.png") == {}


PROVENANCE = {
    "a list": "[1]",
    "a number": "5",
    "nothing": "null",
    "no JSON": "{",
    "nested deeply": '{"a":' * 100_000 + "0" + "}" * 100_000,
}
"""What a PNG from elsewhere may say where a keyframe says how it was made."""


@pytest.mark.parametrize("said", PROVENANCE)
def test_what_is_no_provenance_is_a_fault_of_the_file(tmp_path: Path, said: str) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_itxt(PROVENANCE_KEY, PROVENANCE[said])
    ramp().save(tmp_path / "a.png", pnginfo=text)
    with pytest.raises(FAULTS):
        read_provenance(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("side", "says"), [(32768, "is 32768x32768, not 96x64"), (50000, "can't be read: Image size")]
)
def test_the_largest_canvas_is_no_bomb_but_a_larger_picture_is(
    tmp_path: Path, side: int, says: str
) -> None:
    path = tmp_path / "a.png"
    write_keyframe(path, np.asarray(ramp()), {})
    head = b"IHDR" + struct.pack(">2I", side, side) + path.read_bytes()[24:29]
    data = path.read_bytes()[:12] + head + struct.pack(">I", zlib.crc32(head))
    path.write_bytes(data + path.read_bytes()[33:])
    with pytest.raises(ProjectError, match=says):
        read_keyframe(path, (96, 64), zlib.crc32(path.read_bytes()))


def test_a_changed_keyframe_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    _, crc = write_keyframe(path, np.asarray(ramp()), {})
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ProjectError, match="its checksum differs"):
        read_keyframe(path, (96, 64), crc)
    path.unlink()
    with pytest.raises(ProjectError, match="can't be read: No such file"):
        read_keyframe(path, (96, 64), crc)


def test_a_keyframe_of_another_size_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    _, crc = write_keyframe(path, np.asarray(ramp()), {})
    with pytest.raises(ProjectError, match=r"is 96x64, not 64x64: project\.toml no longer belongs"):
        read_keyframe(path, (64, 64), crc)


def test_a_keyframe_that_can_not_be_written_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file or directory"):
        write_keyframe(tmp_path / "missing" / "a.png", np.asarray(ramp()), {})
