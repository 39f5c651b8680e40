"""The training set: chosen by licence, cut, listed, and the same every time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from renderer.errors import SettingsError, StorageError
from tests.training.sources import cloud, disc, faded, picture, stars, write_package
from training import captions, pack
from training.pictures import catalogue, cropping, page
from training.pictures.listing import LIST, read_list


def digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def read(path: Path) -> cropping.Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_the_list_for_people_is_that_of_the_code() -> None:
    assert page.PAGE.read_text("utf-8") == page.page(catalogue.catalogue())


def test_every_picture_names_its_author_and_a_licence_that_is_not_share_alike() -> None:
    for row in catalogue.catalogue():
        assert row.credit
        assert row.licence in catalogue.LICENCES
        assert row.kind in captions.KINDS
    assert not [licence for licence in catalogue.LICENCES if "SA" in licence]


def test_the_held_out_pictures_are_few_and_of_both_framings() -> None:
    held = [row for row in catalogue.catalogue() if row.held_out]
    assert 0 < len(held) < len(catalogue.catalogue()) / 8
    assert {row.framing for row in held} == set(catalogue.FRAMINGS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("CC BY 4.0", "CC BY-SA 4.0"), "line 3: licence 'CC BY-SA 4.0' is none of those allowed"),
        (("A. Uthor", ""), "line 3: no credit"),
        (("filled", "full"), "line 3: framing 'full' is neither filled nor alone"),
        (("b.png", "b.png c.png"), "line 3: 2 tiles make no square mosaic"),
        (("10 10 90 90", "10 10 90"), "line 3"),
        (("10 10 90 90", "90 10 10 90"), "line 3: crop '90 10 10 90'"),
        (("\nb,", "\na,"), "line 3: a again"),
        ((",b.png", ""), "line 3: not as many cells"),
    ],
)
def test_a_wrong_line_of_the_catalogue_is_named(change: tuple[str, str], says: str) -> None:
    text = (
        "name,kind,framing,subject,source,files,crop,licence,credit,origin\n"
        "a,nebula,alone,A,stellarium-data,a.png,,CC0 1.0,Somebody,\n"
        "b,nebula,filled,B,stellarium-data,b.png,10 10 90 90,CC BY 4.0,A. Uthor,\n"
    )
    assert len(catalogue.read_catalogue(text)) == 2
    with pytest.raises(SettingsError, match="picture catalogue, ") as caught:
        catalogue.read_catalogue(text.replace(*change))
    assert says in str(caught.value)


def test_a_pack_holds_the_pictures_and_says_whose_they_are(tmp_path: Path) -> None:
    write_package(tmp_path, {"a": stars(200), "b": disc(200, 60, (90, 160, 250))})
    rows = [picture("a"), picture("b", framing="alone", held_out=True)]
    total = pack.pack(rows, tmp_path, tmp_path / "pack")
    listed = read_list(tmp_path / "pack")
    assert [(row.file, row.credit, row.licence, row.held_out) for row in listed] == [
        ("a.webp", "A. Uthor", "CC BY 4.0", False),
        ("b.webp", "A. Uthor", "CC BY 4.0", True),
    ]
    for row in listed:
        assert read(tmp_path / "pack" / row.file).shape == (row.height, row.width, 3)
    assert total == sum((tmp_path / "pack" / row.file).stat().st_size for row in listed)


def test_stars_are_kept_exactly(tmp_path: Path) -> None:
    pixels = stars(200)
    write_package(tmp_path, {"a": pixels})
    pack.pack([picture("a", crop=(0.0, 0.0, 1.0, 1.0))], tmp_path, tmp_path / "pack")
    assert np.array_equal(read(tmp_path / "pack" / "a.webp"), pixels)


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    write_package(tmp_path, {"a": stars(200), "b": cloud(240, (200, 60, 40))})
    rows = [picture("a"), picture("b")]
    pack.pack(rows, tmp_path, tmp_path / "one")
    pack.pack(rows, tmp_path, tmp_path / "two")
    before = digest(tmp_path / "one")
    assert digest(tmp_path / "two") == before
    pack.pack(rows, tmp_path, tmp_path / "one")
    assert digest(tmp_path / "one") == before


def test_a_credit_that_changed_stops_the_pack(tmp_path: Path) -> None:
    write_package(tmp_path, {"a": stars(200)}, credit="Somebody Else")
    with pytest.raises(SettingsError, match=r"a\.png is credited to 'Somebody Else', not to"):
        pack.pack([picture("a")], tmp_path, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


def test_a_pack_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    folder = write_package(tmp_path, {"a": stars(200), "b": stars(200)})
    pack.pack([picture("a")], tmp_path, tmp_path / "pack")
    before = digest(tmp_path / "pack")
    (folder / "b.png").write_bytes(b"torn")
    with pytest.raises(SettingsError, match="can't read the picture"):
        pack.pack([picture("a"), picture("b")], tmp_path, tmp_path / "pack")
    assert digest(tmp_path / "pack") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pack", "stellarium-data"]


def test_a_pack_that_gets_too_large_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_package(tmp_path, {"a": stars(200)})
    monkeypatch.setattr(pack, "LIMIT", 100)
    with pytest.raises(StorageError, match="the pack gets larger than 100 B at a"):
        pack.pack([picture("a")], tmp_path, tmp_path / "pack")


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    write_package(tmp_path, {"a": stars(200)})
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(SettingsError, match="holds something else than a pack"):
        pack.pack([picture("a")], tmp_path, tmp_path / "home")
    assert (tmp_path / "home" / "letter.txt").read_text() == "dear"


def test_missing_sources_are_one_clear_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert pack.main([str(tmp_path / "none"), str(tmp_path / "pack")]) == 2
    assert "run `python -m training.fetch" in caplog.text
    assert not (tmp_path / "pack" / LIST).exists()


def test_a_picture_that_fills_its_frame_loses_its_faded_rim(tmp_path: Path) -> None:
    write_package(tmp_path, {"a": faded(cloud(400, (200, 80, 60)), rim=40)})
    pack.pack([picture("a")], tmp_path, tmp_path / "pack")
    light = read(tmp_path / "pack" / "a.webp").max(2)
    assert min(light[0].min(), light[-1].min(), light[:, 0].min(), light[:, -1].min()) > 40
    assert 300 < light.shape[0] < 380


def test_a_thing_alone_is_cut_to_itself_and_some_dark(tmp_path: Path) -> None:
    write_package(tmp_path, {"a": disc(400, 70, (250, 120, 60))})
    pack.pack([picture("a", framing="alone")], tmp_path, tmp_path / "pack")
    pixels = read(tmp_path / "pack" / "a.webp")
    assert 140 < min(pixels.shape[:2]) <= max(pixels.shape[:2]) < 220
    assert pixels[0].max() == 0
    assert tuple(pixels[pixels.shape[0] // 2, pixels.shape[1] // 2]) == (250, 120, 60)


def test_the_veil_over_a_cluster_in_the_dark_is_taken_off(tmp_path: Path) -> None:
    veiled = np.maximum(disc(240, 110, (12, 12, 16)), stars(240) * (disc(240, 110, (1, 1, 1)) > 0))
    write_package(tmp_path, {"a": veiled})
    pack.pack([picture("a", framing="alone")], tmp_path, tmp_path / "pack")
    pixels = read(tmp_path / "pack" / "a.webp")
    assert np.median(pixels) == 0
    assert pixels.max() == 255


def test_tiles_are_joined_in_reading_order(tmp_path: Path) -> None:
    whole = cloud(240, (90, 140, 230))
    tiles = {
        f"t{row}{column}": whole[row * 120 : row * 120 + 120, column * 120 : column * 120 + 120]
        for row in range(2)
        for column in range(2)
    }
    write_package(tmp_path, tiles)
    files = tuple(f"{name}.png" for name in tiles)
    rows = [picture("a", files=files, crop=(0.0, 0.0, 1.0, 1.0))]
    pack.pack(rows, tmp_path, tmp_path / "pack")
    assert np.array_equal(read(tmp_path / "pack" / "a.webp"), whole)


def test_what_is_transparent_is_dark(tmp_path: Path) -> None:
    folder = write_package(tmp_path, {"a": stars(200)})
    pixels = np.full((200, 200, 4), 200, np.uint8)
    pixels[:, 100:, 3] = 0
    Image.fromarray(pixels).save(folder / "a.png")
    pack.pack([picture("a", crop=(0.0, 0.0, 1.0, 1.0))], tmp_path, tmp_path / "pack")
    assert read(tmp_path / "pack" / "a.webp")[:, 100:].max() == 0


def test_a_list_that_names_files_elsewhere_is_refused(tmp_path: Path) -> None:
    write_package(tmp_path, {"a": stars(200)})
    pack.pack([picture("a")], tmp_path, tmp_path / "pack")
    path = tmp_path / "pack" / LIST
    path.write_text(path.read_text().replace("a.webp", "../a.webp"))
    with pytest.raises(SettingsError, match="which is no file of the pack"):
        read_list(tmp_path / "pack")
