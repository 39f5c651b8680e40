"""What stellarium's list of textures says of a picture, to hold the catalogue against.

The list, ``textures.json``, is read leniently: its numbers aren't always JSON (``-.97``).
Knows text only.
"""

from __future__ import annotations

import re

FOLDER = "usr/share/stellarium/nebulae/default"
"""Where the package keeps the pictures and the list."""
LIST = "textures.json"

_ENTRY = re.compile(
    r'"imageCredits"\s*:\s*\{(?P<credit>.*?)\}(?P<rest>.*?)"worldCoords"', re.DOTALL
)
_SHORT = re.compile(r'"short"\s*:\s*"([^"]*)"', re.IGNORECASE)
_FILE = re.compile(r'"imageUrl"\s*:\s*"([^"]+)"')


def credits_by_file(text: str) -> dict[str, str]:
    """The author that the list names for each picture: file name → credit."""
    found: dict[str, str] = {}
    for entry in _ENTRY.finditer(text):
        credit, file = _SHORT.search(entry["credit"]), _FILE.search(entry["rest"])
        if credit and file:
            found[file[1]] = credit[1].strip()
    return found
