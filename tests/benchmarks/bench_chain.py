"""Many keyframes out of one picture: cosmos beside the texture painter, how borders join and
colours drift.

The first picture is cosmos's own, and both go on from it. A seam of 1 is invisible; drift is the
distance of the mean colour from the first picture's, of 255; contrast is that of the last keyframe
to that of the first picture: far below 1 it has gone flat. Prints one table; ``--sheet`` shows it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean

from PIL import Image

from renderer.painting.colour_match import Reference
from renderer.painting.painters import find
from renderer.planning.defaults import fill_in
from renderer.settings import cosmos
from renderer.settings.plain_values import dimensions
from training.painting import PROMPTS
from training.sample import COLUMNS, Painted, keyframes, settings_for, sheet

SHOWN = 20
"""Keyframes of each on a sheet, evenly spread."""


def told(name: str, chain: list[Painted]) -> str:
    """One line of the table."""
    seams = [one.seam for one in chain if one.seam is not None]
    drifts = [one.drift for one in chain if one.drift is not None]
    first, last = (Reference.of(one.canvas).spread for one in (chain[0], chain[-1]))
    seconds = fmean(one.seconds for one in chain[1:])
    return (
        f"{name:8}  {fmean(seams):5.2f} / {max(seams):5.2f}  {fmean(drifts):5.1f} / "
        f"{max(drifts):5.1f}  {last / first:8.2f}  {seconds:8.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=cosmos.FOLDER, help="a trained model")
    parser.add_argument("--keyframes", type=int, default=100)
    parser.add_argument("--prompt", default=PROMPTS[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheet", type=Path, help="where to show both, a picture")
    given = parser.parse_args()
    if cosmos.read_card(given.folder) is None:
        print("there is no trained cosmos; nothing to compare")
        return
    settings = settings_for(given.folder, given.prompt, given.seed)
    own = list(keyframes(find("diffusion")(settings), settings, given.keyframes))
    other = fill_in(
        {
            "painter": "texture",
            "prompt": given.prompt,
            "seed": given.seed,
            "keyframe_size": dimensions(settings.keyframe_size),
        }
    ).settings
    beside = list(keyframes(find("texture")(other), other, given.keyframes, own[0].canvas))
    print(f"{given.keyframes} keyframes, {given.prompt!r}, seed {given.seed}: mean / worst")
    print("          seam           drift          contrast  s a keyframe")
    print(told("cosmos", own))
    print(told("texture", beside))
    if given.sheet:
        rows = []
        for chain in (own, beside):
            places = [round(n * (len(chain) - 1) / (SHOWN - 1)) for n in range(SHOWN)]
            tiles = [Image.fromarray(chain[place].canvas) for place in places]
            rows += [tiles[n : n + COLUMNS] for n in range(0, SHOWN, COLUMNS)]
        sheet(rows).save(given.sheet)


if __name__ == "__main__":
    main()
