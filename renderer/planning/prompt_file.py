"""A plan of prompts from a file (``--prompts FILE``), put into the wishes for a render.

``renderer.planning.prompt_schedule`` says what may stand in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from renderer.errors import SettingsError

Changes = tuple[tuple[int, Mapping[str, Any]], ...]
"""Settings that change, each time with the first keyframe that has them, rising."""
Places = tuple[tuple[int, Path], ...]
"""Pictures, each with the keyframe that is to show it."""

_LARGEST = 16 << 20
"""Bytes; a larger file was meant for something else, and some files never end."""


def with_plan(file: Path, wishes: Mapping[str, Any]) -> tuple[dict[str, Any], Changes, Places]:
    """``wishes`` with the plan's first prompt, what changes later, and the plan's pictures.

    Its negative prompt and its blend count where none is wished for. Raises SettingsError.
    """
    from renderer.planning.defaults import SECONDS_PER_KEYFRAME, given_in
    from renderer.planning.prompt_schedule import read_schedule

    if wishes.get("prompt"):
        raise SettingsError("give one prompt or a plan with --prompts, not both")
    seconds = given_in(wishes).get("seconds_per_keyframe", SECONDS_PER_KEYFRAME)
    schedule = read_schedule(read_text(file, "plan"), file.name, seconds_per_keyframe=seconds)
    (_, first), *later = schedule.starts
    planned = {"negative_prompt": schedule.negative_prompt, "prompt_blend": schedule.blend}
    said = {key: value for key, value in planned.items() if value not in (None, "")}
    places = tuple((keyframe, file.parent / name) for keyframe, name in schedule.pictures)
    prompts = [(keyframe, {"prompt": prompt}) for keyframe, prompt in later]
    changes = sorted((*prompts, *schedule.steered), key=lambda change: change[0])
    return {**said, **wishes, "prompt": first}, tuple(changes), places


def read_text(file: Path, what: str) -> str:
    """The text of ``file``, which is a ``what``. Raises SettingsError."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise SettingsError(f"{what} {file} can't be read: it is too large to be one")
        return data.decode("utf-8-sig")  # as Notepad and Excel write it, too
    except UnicodeDecodeError:
        raise SettingsError(f"{what} {file} can't be read: it is not UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: no file can have such a name
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"{what} {file} can't be read: {reason}") from None
