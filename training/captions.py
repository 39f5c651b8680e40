"""What is said of a picture: true words, few of them, in any order.

A caption is made from what the catalogue knows (a planetary nebula) and from what is measured in
the very picture that is trained on, after it was cut, turned and coloured: so "crimson nebula"
stands by crimson ones only. Pure functions of tensors; knows no files and no models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

COLOURS = {
    "red": (345, ("red", "crimson", "scarlet")),
    "orange": (14, ("orange", "amber", "copper")),
    "golden": (36, ("golden", "gold", "yellow")),
    "green": (66, ("green", "emerald")),
    "teal": (160, ("teal", "turquoise", "cyan")),
    "blue": (195, ("blue", "azure", "sapphire")),
    "violet": (250, ("violet", "purple")),
    "pink": (290, ("pink", "magenta", "rose")),
}
"""Colour → the hue it begins at (degrees, HSV; it ends where the next begins), its words."""
COLOURLESS = ("white", "silver", "pale")

KINDS = {
    "nebula": ("nebula", "nebula", "gas cloud"),
    "reflection nebula": ("nebula", "reflection nebula"),
    "dark nebula": ("dark nebula", "dust cloud"),
    "planetary nebula": ("planetary nebula", "nebula"),
    "supernova remnant": ("supernova remnant", "nebula"),
    "spiral galaxy": ("spiral galaxy", "spiral galaxy", "galaxy"),
    "barred spiral galaxy": ("spiral galaxy", "barred spiral galaxy", "galaxy"),
    "edge-on galaxy": ("galaxy", "edge-on galaxy"),
    "elliptical galaxy": ("galaxy", "elliptical galaxy"),
    "irregular galaxy": ("galaxy", "irregular galaxy"),
    "dwarf galaxy": ("galaxy", "dwarf galaxy"),
    "ring galaxy": ("galaxy", "ring galaxy"),
    "galaxy": ("galaxy",),
    "colliding galaxies": ("colliding galaxies", "galaxies"),
    "galaxy group": ("galaxies", "galaxy group"),
    "galaxy cluster": ("galaxies", "galaxy cluster", "deep field"),
    "globular cluster": ("globular cluster", "star cluster"),
    "star cluster": ("star cluster", "open cluster"),
    "star cloud": ("star cloud", "star field"),
    "star field": ("star field", "stars"),
}
"""What the catalogue calls it → what a caption may call it; what stands twice comes oftener."""

CLOUDS = {"nebula", "reflection nebula", "star cloud"}
"""Kinds of which a part may show nothing but the stars beside them."""
MANY_GALAXIES = "galaxy cluster"
GALAXIES = {kind for kind in KINDS if "galax" in kind} - {MANY_GALAXIES}
"""Kinds that are seen in the company of others, many of which are a cluster."""
THEME = ("deep space", "space", "cosmos", "universe", "night sky")
"""True of all of them."""

_MAIN, _MIXED = 0.4, 0.3
"""A colour is named when it has the first share of the coloured light; another with the second."""
_PALE = 0.16
"""Below this share of colour in the light, the picture has none."""
_FAINT = 0.012
"""Below this mean light, colour isn't seen."""
_DARK, _DIM, _BRIGHT = 0.05, 0.1, 0.3
"""Mean light, 0 to 1, below or above which a picture is called so."""
_CLOUDY, _GLOWING = 0.06, 0.2
"""Light between the stars, 0 to 1, above which there is a cloud, and above which it glows."""
_STAR = 0.18
"""A peak is a star when it stands out from what is around it by this much."""
_FEW, _MANY, _COUNTLESS = 80.0, 250.0, 700.0
"""Stars in 256×256 pixels, up to which they are few, from which many, from which countless."""
_KEPT = 0.72
"""How probable it is that a true word is said."""
_NIGHT, _SHINE = 0.93, 0.5
"""The same of words for the dark and for light: who says neither, asks for something to see."""
_COARSE = 48
"""Colours are measured on so many places a side, where single stars count little."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a picture looks like."""

    colours: tuple[str, ...]
    """Keys of ``COLOURS``, the strongest first; empty where the light has no colour."""
    pale: bool
    """There is light, and it has no colour."""
    light: float
    """Mean of the brightest channel, 0 to 1."""
    glow: float
    """The same between the stars."""
    stars: float
    """Stars in 256×256 pixels."""


def vocabulary() -> tuple[str, ...]:
    """Every single word that a caption may hold, sorted."""
    phrases = [word for _, words in COLOURS.values() for word in words]
    phrases += [phrase for words in KINDS.values() for phrase in words]
    phrases += [*COLOURLESS, *THEME, *_STAR_WORDS, *_LIGHT_WORDS, "and"]
    return tuple(sorted({word for phrase in phrases for word in phrase.split()}))


def hue_ranges() -> list[tuple[int, int]]:
    """Where each of ``COLOURS`` begins and ends, degrees, in their order; one goes over 360."""
    begins = [begin for begin, _ in COLOURS.values()]
    return list(zip(begins, [*begins[1:], begins[0]], strict=True))


_STAR_WORDS = ("few stars", "stars", "many stars", "countless stars")
_LIGHT_WORDS = ("dark", "dim", "bright", "glowing")


def measure(pictures: Tensor) -> list[Measured]:
    """Look at pictures: (N, 3, H, W) float, sRGB in [-1, 1]. One transfer from the device."""
    value = (pictures.float() + 1) / 2
    shares, pale = _colour_shares(value)
    light = value.amax(1, keepdim=True)
    floor = -functional.max_pool2d(-light, 5, 1, 2)
    figures = torch.stack([pale, light.mean((1, 2, 3)), floor.mean((1, 2, 3)), _stars(light)], 1)
    return [_measured(row) for row in torch.cat([shares, figures], 1).tolist()]


def _colour_shares(value: Tensor) -> tuple[Tensor, Tensor]:
    """Each colour's share of the coloured light (N, 8), and the share of colour in it all (N,).

    Bright places count for more: a colour is that of what shines, not of the faint ground.
    """
    places = max(1, min(value.shape[-2:]) // _COARSE)
    coarse = functional.avg_pool2d(value, places)
    high, low = coarse.amax(1), coarse.amin(1)
    chroma = high - low
    red, green, blue = coarse.unbind(1)
    safe = chroma.clamp(min=1e-6)
    sixth = torch.where(
        high == red,
        ((green - blue) / safe) % 6,
        torch.where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    hue = sixth * 60
    shining = chroma * high.sqrt()
    sums = [(shining * _between(hue, begin, end)).sum((1, 2)) for begin, end in hue_ranges()]
    coloured = shining.sum((1, 2))
    shares = torch.stack(sums, 1) / coloured.clamp(min=1e-6)[:, None]
    return shares, coloured / (high**1.5).sum((1, 2)).clamp(min=1e-6)


def _between(hue: Tensor, begin: float, end: float) -> Tensor:
    return ((hue - begin) % 360) < ((end - begin) % 360)


def _stars(light: Tensor) -> Tensor:
    """Peaks in 256×256 pixels, of (N, 1, H, W) light in [0, 1]: (N,)."""
    peak = light == functional.max_pool2d(light, 3, 1, 1)
    around = functional.avg_pool2d(light, 9, 1, 4, count_include_pad=False)
    count = (peak & (light - around > _STAR)).float().sum((1, 2, 3))
    return count * (256 * 256 / (light.shape[-2] * light.shape[-1]))


def _measured(row: list[float]) -> Measured:
    shares = dict(zip(COLOURS, row, strict=False))
    colourfulness, light, glow, stars = row[len(COLOURS) :]
    seen = light > _FAINT
    strongest = sorted(shares, key=lambda colour: -shares[colour])
    colours = [strongest[0], *(name for name in strongest[1:2] if shares[name] > _MIXED)]
    coloured = seen and colourfulness > _PALE
    named = tuple(colours) if coloured and shares[colours[0]] > _MAIN else ()
    return Measured(named, seen and not coloured, light, glow, stars)


DRAWS = 14
"""How many random numbers a caption takes."""


def caption(kind: str, seen: Measured, draws: Sequence[float], *, whole: bool) -> str:
    """Some of what is true of a picture of that ``kind``, as a line of words.

    ``whole``: the thing is in it; else it is a part, which may show only what is beside the thing.
    ``draws``: ``DRAWS`` numbers, uniform in [0, 1), that decide which words, and their order.
    """
    pick = iter(draws)
    beside = not whole and kind in CLOUDS and seen.glow < _CLOUDY
    thing = _one(KINDS["star field" if beside else kind], next(pick))
    colour = _colour(seen, next(pick), next(pick))
    if colour and next(pick) < 0.6:
        parts = [f"{colour} {thing}"]
    else:
        parts = [thing, *([colour] if colour else [])]
    said = [parts[0]] if next(pick) < _KEPT + 0.15 else []
    others = [(part, _KEPT) for part in parts[1:]]
    others += [*_light(seen), (_starry(seen), _KEPT)]
    said += [part for part, share in others if next(pick) < share]
    if next(pick) < 0.2:
        said.append(_one(THEME, next(pick)))
    said = said or [parts[0]]
    if len(said) > 1 and next(pick) < 0.5:
        turn = 1 + int(next(pick) * (len(said) - 1))
        said = said[turn:] + said[:turn]
    return (", " if draws[-1] < 0.5 else " ").join(said)


def _colour(seen: Measured, first: float, second: float) -> str:
    if not seen.colours:
        return _one(COLOURLESS, first) if seen.pale else ""
    words = [
        _one(COLOURS[name][1], draw)
        for name, draw in zip(seen.colours, (first, second), strict=False)
    ]
    return " and ".join(words)


def _light(seen: Measured) -> list[tuple[str, float]]:
    """Words for how much light there is, and how probably each is said."""
    words = []
    if seen.light < _DARK:
        words.append(("dark", _NIGHT))
    elif seen.light < _DIM:
        words.append(("dim", _NIGHT))
    elif seen.light > _BRIGHT:
        words.append(("bright", _SHINE))
    if seen.glow > _GLOWING:
        words.append(("glowing", _SHINE))
    return words


def _starry(seen: Measured) -> str:
    bounds = (_FEW, _MANY, _COUNTLESS)
    return _STAR_WORDS[sum(seen.stars >= bound for bound in bounds)]


def _one(words: Sequence[str], draw: float) -> str:
    return words[min(int(draw * len(words)), len(words) - 1)]
