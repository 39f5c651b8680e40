"""A point of a picture, as settings name it: ``"0.3,0.6"``, from the left and from the top."""

from __future__ import annotations

from renderer.errors import SettingsError

Point = tuple[float, float]
"""0 … 1 each way."""
CENTRE: Point = (0.5, 0.5)
AUTO = "auto"


def parse_point(text: str) -> Point:
    """Raises SettingsError."""
    try:
        across, down = (float(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(
            f"focus must be X,Y, each 0 to 1 from the top left, such as 0.3,0.6, not {text!r}"
        ) from None
    return across, down


def in_the_picture(name: str, value: Point) -> str | None:
    if all(0 <= part <= 1 for part in value):
        return None
    return f"{name} must lie in the picture, 0 to 1 each way, not {value[0]:g},{value[1]:g}"


def point_or_auto(name: str, value: str) -> str | None:
    try:
        return None if value == AUTO else in_the_picture(name, parse_point(value))
    except SettingsError as error:
        return f"{error}; or {AUTO}"
