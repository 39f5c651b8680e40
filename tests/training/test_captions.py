"""Captions say what is to be seen, in words of one vocabulary."""

from __future__ import annotations

import colorsys
import itertools

import numpy as np
import pytest
import torch

from tests.training.sources import Pixels, cloud, disc, stars
from training import captions
from training.captions import Measured, caption, measure


def seen(pixels: Pixels) -> Measured:
    (one,) = measure(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1)
    return one


def draws(seed: int) -> list[float]:
    numbers: list[float] = np.random.default_rng(seed).random(captions.DRAWS).tolist()
    return numbers


@pytest.mark.parametrize(
    ("hue", "colour"),
    [
        (0, "red"),
        (350, "red"),
        (25, "orange"),
        (50, "golden"),
        (120, "green"),
        (180, "teal"),
        (220, "blue"),
        (270, "violet"),
        (320, "pink"),
    ],
)
@pytest.mark.parametrize("saturation", [0.45, 1.0])
def test_a_cloud_is_called_by_its_colour(hue: int, colour: str, saturation: float) -> None:
    red, green, blue = (round(255 * c) for c in colorsys.hsv_to_rgb(hue / 360, saturation, 0.8))
    assert seen(cloud(128, (red, green, blue))).colours == (colour,)


def test_two_colours_are_named_with_the_stronger_first() -> None:
    pixels = np.concatenate([cloud(128, (30, 60, 240))[:80], cloud(128, (230, 40, 40))[:48]])
    assert seen(pixels).colours == ("blue", "red")
    said = {caption("nebula", seen(pixels), draws(seed), whole=True) for seed in range(60)}
    assert any("azure and crimson nebula" in text for text in said)


def test_grey_light_is_pale_and_the_dark_has_no_colour() -> None:
    assert seen(cloud(128, (160, 160, 160))).pale
    dark = seen(np.zeros((128, 128, 3), np.uint8))
    assert not dark.pale
    assert dark.colours == ()


def test_the_faint_red_of_a_dark_ground_does_not_outshout_a_blue_thing() -> None:
    pixels = np.maximum(disc(128, 40, (40, 90, 230)), np.array([6, 2, 2], np.uint8))
    assert seen(pixels).colours == ("blue",)


def test_stars_are_counted_whatever_the_size_of_the_picture() -> None:
    few, many = stars(128), stars(256)
    assert seen(few).stars == pytest.approx(seen(many).stars, rel=0.2)
    assert seen(many).stars == pytest.approx(256 * 256 / 250, rel=0.2)
    assert seen(cloud(128, (200, 40, 40))).stars == 0


def test_stars_do_not_glow_and_clouds_do() -> None:
    assert seen(stars(128)).glow < 0.06
    assert seen(cloud(128, (200, 40, 40))).glow > 0.4


def test_only_words_of_the_vocabulary_are_said() -> None:
    known = set(captions.vocabulary())
    looks = [
        Measured(colours, pale, light, glow, count)
        for colours, pale in (((), True), ((), False), (("red",), False), (("pink", "teal"), False))
        for light, glow in ((0.01, 0.0), (0.07, 0.03), (0.2, 0.15), (0.6, 0.5))
        for count in (0.0, 100.0, 400.0, 900.0)
    ]
    for number, (kind, look) in enumerate(itertools.product(captions.KINDS, looks)):
        text = caption(kind, look, draws(number), whole=number % 2 == 0)
        assert text
        assert set(text.replace(",", "").split()) <= known


def test_nothing_is_said_that_is_not_so() -> None:
    look = Measured(("blue",), False, light=0.02, glow=0.01, stars=10)
    for seed in range(300):
        words = caption("spiral galaxy", look, draws(seed), whole=True)
        assert not any(
            wrong in words
            for wrong in ("red", "crimson", "nebula", "bright", "glowing", "many", "countless")
        )


def test_every_true_thing_is_said_now_and_then_and_left_out_now_and_then() -> None:
    look = Measured(("red",), False, light=0.4, glow=0.3, stars=400)
    said = [caption("nebula", look, draws(seed), whole=True) for seed in range(300)]
    for words in ("crimson nebula", "nebula", "bright", "glowing", "many stars", "deep space"):
        share = sum(words in text for text in said) / len(said)
        assert 0.02 < share < 0.95, words
    assert len({tuple(sorted(text.replace(",", "").split())) for text in said}) < len(set(said))


def test_who_says_nothing_of_light_asks_for_something_to_see() -> None:
    night = Measured((), True, light=0.03, glow=0.0, stars=100)
    shine = Measured((), True, light=0.5, glow=0.4, stars=100)

    def said(word: str, look: Measured) -> float:
        texts = [caption("galaxy", look, draws(seed), whole=True) for seed in range(300)]
        return sum(word in text for text in texts) / len(texts)

    assert said("dark", night) > 0.85
    assert said("glowing", shine) < 0.6


def test_a_part_of_a_nebula_that_shows_only_stars_is_a_star_field() -> None:
    look = Measured((), True, light=0.05, glow=0.01, stars=300)
    said = " ".join(caption("nebula", look, draws(seed), whole=False) for seed in range(50))
    assert "star field" in said
    assert "nebula" not in said
    assert "nebula" in " ".join(
        caption("nebula", look, draws(seed), whole=True) for seed in range(50)
    )


def test_the_same_draws_give_the_same_words() -> None:
    look = Measured(("golden",), False, 0.2, 0.1, 300)
    assert caption("galaxy", look, draws(3), whole=True) == caption(
        "galaxy", look, draws(3), whole=True
    )
