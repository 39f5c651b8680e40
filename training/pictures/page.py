"""The catalogue for people: ``python -m training.pictures.page`` writes training/PICTURES.md."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from renderer.files import replace_file
from training.pictures.catalogue import LICENCES, Picture, catalogue

PAGE = Path(__file__).parents[1] / "PICTURES.md"

_HEAD = """\
# The pictures that cosmos learns from

Made by `python -m training.pictures.page` from `pictures/catalogue.csv`; change it there. The
pictures themselves are not in this repository: `python -m training.fetch` gets them, `python -m
training.pack` cuts and packs them.

**The weights are licensed CC BY 4.0.** Every picture may be changed and passed on, by the licence
that its source states, and none of these licences asks for the same licence again: so CC BY 4.0,
which asks for credit, satisfies them all. Whether weights are an adaptation of the pictures that
they were trained on is not settled; here they are treated as if they were. Weights that
are passed on bring this list along.

The pictures were changed: cut, scaled, turned, their colours turned, laid over one another.
None of those named here endorses the model or what is made with it.

## How they were chosen

`stellarium-data` (0.22.2) names an author for each photograph in `textures.json`, and states
authors' licences in its `CREDITS.md`, of which Debian's `copyright` repeats an older state. Where
a statement covers a picture and its author, it is taken at its word. Left out are

- all whose licence is share-alike (the weights would have to be, too) or that have no statement:
  where only a name stands, as with the surveys DSS, 2MASS and SDSS, or Plover Hill Observatory's
  64 pictures;
- pictures of which the two files tell different licences, and the Hercules Cluster, credited to
  NASA for a picture of the day, which may well belong to its photographer;
- what harms: burnt-out or miscoloured stars, visible masks, fewer than 96 pixels a side.

The wallpapers were looked at, too, and all left out:

| package | licences | why not |
|---|---|---|
| `plasma-workspace-wallpapers` | CC BY-SA 4.0, LGPL 3 | share-alike |
| `mate-backgrounds` | GPL 2+, CC BY-SA 4.0 | share-alike, few landscapes |
| `gnome-backgrounds` | CC BY-SA 2.0 and 3.0, CC BY 2.0, GPL 2+ | share-alike, abstract |
| `lomiri-wallpapers` | CC BY-SA, CC BY, CC0 | five free landscapes are no theme |

So the theme is deep space alone.
"""


def page(pictures: Sequence[Picture]) -> str:
    """The page in Markdown."""
    return "\n".join([_HEAD, *_licences(pictures), "", *_table(pictures)]) + "\n"


def _licences(pictures: Sequence[Picture]) -> Iterator[str]:
    count = Counter(picture.licence for picture in pictures)
    yield "## Licences"
    yield ""
    yield "| licence | what it says | pictures |"
    yield "|---|---|---|"
    for licence, text in LICENCES.items():
        if count[licence]:
            yield f"| {licence} | {text} | {count[licence]} |"


def _table(pictures: Sequence[Picture]) -> Iterator[str]:
    held = sum(picture.held_out for picture in pictures)
    yield f"## The {len(pictures)} pictures"
    yield ""
    yield f"{held} of them, marked *, are held out: no model is trained on them."
    yield ""
    yield "| file | subject | kind | credit | licence | source |"
    yield "|---|---|---|---|---|---|"
    for picture in pictures:
        yield _row(picture)


def _row(picture: Picture) -> str:
    files = picture.files[0]
    if len(picture.files) > 1:
        files += f" … {picture.files[-1]}"
    source = f"{picture.source}, [page]({picture.origin})" if picture.origin else picture.source
    cells = [
        files + (" *" if picture.held_out else ""),
        picture.subject,
        picture.kind,
        picture.credit,
        picture.licence,
        source,
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> int:
    """Write the page."""
    replace_file(PAGE, page(catalogue()).encode(), durable=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
