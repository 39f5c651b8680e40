"""Batches: true to the pictures, never outside them, the same for the same generator."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from renderer.errors import SettingsError
from tests.training.sources import cloud, disc, small_pack, stars
from training import augment, captions, skies
from training.atlas import Atlas, Views
from training.dataset import Pictures
from training.pictures.listing import LIST

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_pack(tmp_path_factory.mktemp("pack"))


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def whole(side: float, *, angle: float = 0.0, mirrored: bool = False, rim: float = 0.0) -> Views:
    """The view of a square picture as it is, or turned about its middle."""
    return Views(
        picture=torch.tensor([0]),
        x=torch.tensor([side / 2]),
        y=torch.tensor([side / 2]),
        side=torch.tensor([float(side)]),
        angle=torch.tensor([angle]),
        mirrored=torch.tensor([mirrored]),
        rim=torch.tensor([rim]),
    )


def levels(view: Tensor) -> Tensor:
    """(1, 3, H, W) in [0, 1] → (H, W, 3), 0 to 255."""
    return view[0].permute(1, 2, 0) * 255


def test_a_batch_is_pictures_in_range_and_words_of_the_vocabulary(folder: Path) -> None:
    pictures, texts = Pictures(folder, CPU).batch(16, 64, generator(1))
    assert pictures.shape == (16, 3, 64, 64)
    assert pictures.dtype == torch.float32
    assert -1 <= pictures.min() < -0.9
    assert 0.5 < pictures.max() <= 1
    assert len(texts) == 16
    assert {word for text in texts for word in text.replace(",", "").split()} <= set(
        captions.vocabulary()
    )


def test_the_same_generator_gives_the_same_batches(folder: Path) -> None:
    one, other = Pictures(folder, CPU), Pictures(folder, CPU)
    first, second = generator(7), generator(7)
    for size in (48, 64, 48):
        pictures, texts = one.batch(6, size, first)
        again, repeated = other.batch(6, size, second)
        assert torch.equal(pictures, again)
        assert texts == repeated
    assert not torch.equal(pictures, one.batch(6, 48, first)[0])


def test_held_out_pictures_are_never_trained_on(folder: Path) -> None:
    assert len(Pictures(folder, CPU)) == 5
    assert len(Pictures(folder, CPU, "held-out")) == 1


def test_every_picture_comes_up_and_captions_steer(folder: Path) -> None:
    pictures, texts = Pictures(folder, CPU).batch(300, 32, generator(2))
    said = " ".join(texts)
    for word in ("planetary nebula", "galaxy", "star field", "crimson", "azure", "emerald"):
        assert word in said
    means = (pictures + 1).mean((2, 3))
    red = [row for row, text in zip(means, texts, strict=True) if "crimson nebula" in text]
    blue = [row for row, text in zip(means, texts, strict=True) if "azure nebula" in text]
    assert red
    assert blue
    assert all(row[0] > row[2] for row in red)
    assert all(row[2] > row[0] for row in blue)


def test_views_larger_than_all_pictures_are_refused(folder: Path) -> None:
    held_out = Pictures(folder, CPU, "held-out")
    with pytest.raises(SettingsError, match="no picture of the pack is large enough for 512"):
        held_out.batch(1, 512, generator(0))


def test_a_folder_that_is_no_pack_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"is no pack, make one by training\.pack"):
        Pictures(tmp_path, CPU)
    (tmp_path / LIST).write_text('{"version": 99, "pictures": []}')
    with pytest.raises(SettingsError, match="is of another version"):
        Pictures(tmp_path, CPU)


@pytest.mark.slow
def test_it_needs_neither_diffusers_nor_transformers() -> None:
    code = "import sys, training.dataset; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert loaded.isdisjoint({"diffusers", "transformers", "accelerate", "av", "numba", "textual"})


def test_a_torn_picture_of_the_pack_is_one_clear_line(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    (folder / "red.webp").write_bytes((folder / "red.webp").read_bytes()[:60])
    with pytest.raises(SettingsError, match=r"can't read .*red\.webp of the pack"):
        Pictures(folder, CPU)


def test_a_straight_look_sees_the_very_pixels() -> None:
    pixels = stars(96)
    atlas = Atlas([cloud(50, (9, 9, 9)), pixels], CPU)
    views = replace(whole(96), picture=torch.tensor([1]))
    assert torch.equal(levels(atlas.look(views, 96)).round().to(torch.uint8), torch.tensor(pixels))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_and_mirror_images_lose_nothing(quarters: int) -> None:
    pixels = stars(96)
    atlas = Atlas([pixels], CPU)
    turned = levels(atlas.look(whole(96, angle=quarters * torch.pi / 2), 96))
    assert np.abs(turned.numpy() - np.rot90(pixels, quarters)).max() < 0.5
    mirrored = levels(atlas.look(whole(96, mirrored=True), 96))
    assert np.abs(mirrored.numpy() - pixels[:, ::-1]).max() < 0.5


@pytest.mark.parametrize("size", [200, 128, 100, 61, 30])
def test_a_smaller_look_is_a_careful_reduction(size: int) -> None:
    smooth, sharp = cloud(256, (250, 120, 60)), stars(256)
    seen = levels(Atlas([smooth], CPU).look(whole(256), size)).numpy()
    careful = Image.fromarray(smooth).resize((size, size), Image.Resampling.LANCZOS)
    assert np.abs(seen - np.asarray(careful)).max() < 4
    light = levels(Atlas([sharp], CPU).look(whole(256), size)).mean()
    assert light == pytest.approx(sharp.mean(), rel=0.06)


def test_beyond_a_picture_it_is_dark_without_an_edge() -> None:
    atlas = Atlas([np.full((64, 64, 3), 200, np.uint8)], CPU)
    wide = replace(whole(64, rim=0.2), side=torch.tensor([128.0]))
    row = levels(atlas.look(wide, 128))[64, :, 0]
    assert row[:32].max() == 0
    assert row[64] == pytest.approx(200, abs=0.5)
    assert row.diff().abs().max() < 40


def test_no_view_leaves_a_picture_that_fills_its_frame() -> None:
    atlas = Atlas([stars(100), np.ascontiguousarray(stars(400)[:150])], CPU)
    choice = augment.Choice(torch.tensor([0.5, 1.0]), torch.tensor([False, False]))
    draws = torch.rand(4000, augment.PLACE_DRAWS, generator=generator(3))
    views = augment.place(atlas, choice, 96, draws)
    half = views.side / 2 * (views.angle.cos().abs() + views.angle.sin().abs())
    for middle, length in ((views.x, atlas.width), (views.y, atlas.height)):
        assert (middle - half).min() > -1e-3
        assert (length[views.picture] - middle - half).min() > -1e-3
    assert (96 / views.side).max() <= augment.ENLARGED + 1e-5
    assert (views.side / 96).max() > 1.3
    small = views.angle[views.picture == 0]
    assert small.remainder(torch.pi / 2).std() > 0.1, "even a tight picture is turned"
    assert len(torch.histc(views.angle[views.picture == 1], 12, -0.8, 5.6).nonzero()) == 12


def test_a_thing_alone_stays_in_sight_and_is_never_blurred() -> None:
    atlas = Atlas([stars(120)], CPU)
    choice = augment.Choice(torch.tensor([1.0]), torch.tensor([True]))
    draws = torch.rand(2000, augment.PLACE_DRAWS, generator=generator(4))
    views = augment.place(atlas, choice, 200, draws)
    assert ((views.x - 60).abs() / views.side).max() < 0.5
    assert ((views.y - 60).abs() / views.side).max() < 0.5
    assert (200 / views.side).max() <= augment.ENLARGED + 1e-5


def test_neighbours_are_small_and_lie_anywhere_in_the_view() -> None:
    atlas = Atlas([disc(120, 50, (200, 200, 200))], CPU)
    choice = augment.Choice(torch.tensor([1.0]), torch.tensor([True]))
    draws = torch.rand(400, augment.NEIGHBOUR_DRAWS, generator=generator(9))
    views = augment.anywhere(atlas, choice, 96, draws)
    assert ((120 / views.side) <= 0.5 + 1e-5).all()
    seen = atlas.look(views, 48).amax(1) > 0.1
    assert seen.any(0).all(), "no place where none comes"
    assert seen.float().mean((1, 2)).max() < 0.3


def lone(*, galaxy: bool) -> skies.Skies:
    """Skies of one picture: a round glow in the dark."""
    y, x = np.mgrid[:120, :120] / 60 - 1 + 1 / 120
    glow = (220 * np.exp(-12 * (x * x + y * y))).astype(np.uint8)
    traits = skies.Traits(
        alone=np.array([True]), starry=np.array([False]), galaxy=np.array([galaxy])
    )
    return skies.Skies([np.repeat(glow[..., None], 3, axis=2)], traits, CPU)


def things(sky: skies.Sky) -> Tensor:
    """How many peaks of light each one has."""
    light = sky.light[:, 0]
    peaks = light == torch.nn.functional.max_pool2d(light, 7, 1, 3)
    return (peaks & (light > 0.3)).float().sum((1, 2))


@pytest.mark.slow
def test_galaxies_have_others_around_them_and_other_things_have_none() -> None:
    draws = torch.rand(200, skies.DRAWS, generator=generator(10))
    alone, among = (things(lone(galaxy=galaxy).look(64, draws)) for galaxy in (False, True))
    assert alone.mean() < 1.1
    assert among.mean() > 4
    assert 0.1 < (among == 1).float().mean() < 0.4, "and some are alone"


@pytest.mark.slow
def test_one_of_many_galaxies_is_called_so_where_there_are_many() -> None:
    sky = lone(galaxy=True).look(64, torch.rand(300, skies.DRAWS, generator=generator(11)))
    assert 0.2 < sky.among_many.float().mean() < 0.6
    assert things(sky)[sky.among_many].mean() > things(sky)[~sky.among_many].mean() + 2


def test_colours_that_are_not_turned_stay() -> None:
    pictures = torch.rand(5, 3, 8, 8, generator=generator(5))
    still = torch.tensor([0.1, 0.3, 0.9, 0.5, 0.5, 0.0]).expand(5, -1)
    assert torch.allclose(augment.coloured(pictures, still), pictures, atol=2e-3)
    turned = augment.coloured(pictures, torch.tensor([0.95, 0.9, 0.5, 0.5, 0.5, 0.0]).expand(5, -1))
    assert not torch.allclose(turned, pictures, atol=0.1)
    assert turned.min() >= 0
    assert turned.max() <= 1


@pytest.mark.parametrize("number", range(len(captions.COLOURS)))
def test_a_picture_can_be_led_to_each_colour_that_captions_know(number: int) -> None:
    pictures = 0.15 + 0.25 * torch.rand(4, 3, 1, 1, generator=generator(7)).expand(4, 3, 96, 96)
    which = (number + 0.5) / len(captions.COLOURS)
    draws = torch.tensor([0.95, which, 0.5, 0.5, 0.5, 0.0]).expand(4, -1)
    led = augment.coloured(pictures, draws) * 2 - 1
    name = list(captions.COLOURS)[number]
    assert all(seen.colours[:1] in ((name,), ()) for seen in captions.measure(led))
    assert any(seen.colours for seen in captions.measure(led))


def test_what_is_dark_can_be_exposed_longer() -> None:
    pictures = torch.stack([torch.full((3, 8, 8), light) for light in (0.02, 0.15, 0.5)])
    draws = torch.tensor([0.1, 0.5, 0.5, 0.5, 0.5, 1.0]).expand(3, -1)
    means = augment.coloured(pictures, draws).mean((1, 2, 3))
    assert torch.allclose(means, torch.tensor([0.06, augment.EXPOSED, 0.5]), atol=5e-3)


def test_grey_stays_grey_whatever_the_turn() -> None:
    grey = torch.full((6, 3, 4, 4), 0.4)
    draws = torch.rand(6, augment.COLOUR_DRAWS, generator=generator(6))
    draws[:, 0], draws[:, 3:5], draws[:, 5] = 0.95, 0.5, 0.0
    assert torch.allclose(augment.coloured(grey, draws), grey, atol=2e-3)
