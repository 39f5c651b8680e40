"""A film whose prompt changes: reading the plan.

Three forms of ``--prompts FILE`` are read, told apart by the file's ending:

- plain lines, ``12: a coral reef`` (``#`` opens a comment), ``blend: 4``, and for where a film goes
  ``12: focus 0.3,0.6`` and ``12: method refine``;
- TOML: ``[prompts]`` with the same as ``12 = "a coral reef"``, at the top ``negative_prompt`` and
  ``blend``, and ``[12]`` with ``focus = "0.3,0.6"``, ``method = "refine"``, or, for a picture of
  the user's own, ``picture = "castle.png"``;
- the JSON that the infinite-zoom extension for AUTOMATIC1111's web UI exports.

The number is the first keyframe that the prompt is for, 0 = the first picture. ``blend`` is the
number of keyframes that each new prompt takes to replace the one before it. Pure: knows no painter
and no project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Any

from renderer.errors import SettingsError
from renderer.settings.plain_values import read_toml

_LINE = re.compile(r"\s*(?P<keyframe>\d{1,9})\s*:\s*(?P<prompt>.*?)\s*")
_STEER_LINE = re.compile(
    r"\s*(?P<keyframe>\d{1,9})\s*:\s*(?P<key>focus|method)\s+(?P<value>auto|[-\d.,]+|[a-z]+)\s*"
)
_BLEND_LINE = re.compile(r"\s*blend\s*:\s*(?P<blend>.*?)\s*", re.IGNORECASE)
_AFFIXES = (("prePrompt", "postPrompt"), ("commonPromptPrefix", "commonPromptSuffix"))
"""Common beginning and end of all prompts, by the names of the extension's versions."""

_MOST = 1e9
"""No film has so many keyframes."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which prompt each keyframe is painted from."""

    starts: tuple[tuple[int, str], ...]
    """(first keyframe, prompt), rising; at least one, the first at 0."""
    negative_prompt: str | None = None
    """None: the plan says nothing about it."""
    blend: int | None = None
    """Keyframes that a new prompt takes; None: the plan says nothing about it."""
    pictures: tuple[tuple[int, str], ...] = ()
    """(keyframe, file of a picture that it is to show), rising; none for the first one."""
    steered: tuple[tuple[int, Mapping[str, str]], ...] = ()
    """(first keyframe, other settings that change there), rising; not checked."""


def read_schedule(text: str, name: str, *, seconds_per_keyframe: float) -> Schedule:
    """The plan in ``text``, the contents of the file ``name``.

    Newer exports of the extension count in seconds; ``seconds_per_keyframe`` turns them into
    keyframes. Raises SettingsError, one line with the place, for what can't be read.
    """
    ending = PurePath(name).suffix.casefold()
    if ending == ".json":
        return _from_json(text, name, seconds_per_keyframe)
    if ending == ".toml":
        return _from_toml(text, name)
    return _from_lines(text, name)


def _from_lines(text: str, name: str) -> Schedule:
    starts, steered, blend = [], [], None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        place = f"{name}, line {number}"
        if said := _BLEND_LINE.fullmatch(line):
            blend = _blend(said["blend"], place)
            continue
        if said := _STEER_LINE.fullmatch(line):
            steered.append((int(said["keyframe"]), {said["key"]: said["value"]}))
            continue
        match = _LINE.fullmatch(line)
        if match is None or not match["prompt"]:
            raise SettingsError(
                f"{place}: expected a keyframe's number and a prompt, such as 12: a coral reef"
            )
        starts.append((int(match["keyframe"]), match["prompt"]))
    return _schedule(starts, name, blend=blend, steered=steered)


def _from_toml(text: str, name: str) -> Schedule:
    try:
        values = read_toml(text)
    except ValueError as error:
        raise SettingsError(f"{name} is not valid TOML: {error}") from None
    tables = [
        (_number(key, name), _table(values.pop(key), key, name))
        for key in list(values)
        if key.isdecimal()
    ]
    pictures = [(start, table.pop("picture")) for start, table in tables if "picture" in table]
    for key in values.keys() - {"prompts", "negative_prompt", "blend"}:
        raise SettingsError(f"{name}: unknown key {key!r}; known: blend, negative_prompt, prompts")
    prompts, negative = values.get("prompts"), values.get("negative_prompt")
    if not isinstance(prompts, dict):
        raise SettingsError(f'{name} needs a table [prompts] with lines such as 12 = "a reef"')
    if negative is not None and not isinstance(negative, str):
        raise SettingsError(f"{name}: negative_prompt must be text")
    starts = [(_number(key, name), _text(value, name)) for key, value in prompts.items()]
    blend = _blend(values["blend"], name) if "blend" in values else None
    return _schedule(starts, name, negative, blend, pictures, tables)


def _from_json(text: str, name: str, seconds_per_keyframe: float) -> Schedule:
    """``{"prompts": {"headers": […], "data": [[0, "…", …], …]}, "negPrompt": "…", …}``."""
    try:
        values = json.loads(text)
        table = values["prompts"]
        rows = [(row[0], row[1]) for row in table["data"]]
        images = [(row[0], row[2]) for row in table["data"] if len(row) > 2 and row[2]]
        headers = [str(header) for header in table.get("headers", ())]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise SettingsError(
            f"{name} is no export of the infinite-zoom extension: no prompts with data in it"
        ) from None
    in_seconds = bool(headers) and "second" in headers[0].casefold()
    unit = seconds_per_keyframe if in_seconds else 1.0

    def keyframe(start: object) -> int:
        return round(min(_number(start, name) / unit, _MOST))

    before, after = _affixes(values)
    starts = []
    for start, prompt in rows:
        whole = ", ".join(filter(None, (before, _text(prompt, name).strip(" ,"), after)))
        starts.append((keyframe(start), whole))
    negative = values.get("negPrompt")
    pictures = [(keyframe(start), str(image)) for start, image in images]
    negative = negative if isinstance(negative, str) else None
    return _schedule(starts, name, negative, pictures=[each for each in pictures if each[0]])


def _affixes(values: Mapping[str, Any]) -> tuple[str, str]:
    for names in _AFFIXES:
        if any(name in values for name in names):
            before, after = (str(values.get(name) or "").strip(" ,") for name in names)
            return before, after
    return "", ""


def _number(value: object, name: str) -> int:
    """A keyframe's number; the extension's tables also hold it as text or as 2.0."""
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < _MOST or number != int(number):
        raise SettingsError(f"{name}: {value!r} is no keyframe's number; the first one is 0")
    return int(number)


def _blend(value: object, place: str) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 10):
        raise SettingsError(f"{place}: blend must be a number of keyframes, not {value!r}")
    return int(text)


def _table(value: object, key: str, name: str) -> dict[str, str]:
    """A table such as ``[12]``."""
    known = {"picture", "focus", "method"}
    if isinstance(value, dict) and value and value.keys() <= known and _all_text(value.values()):
        return dict(value)
    raise SettingsError(
        f'{name}: the table [{key}] may hold picture = "FILE", focus = "X,Y" and method = "NAME", '
        f"and nothing else"
    )


def _all_text(values: Iterable[object]) -> bool:
    return all(isinstance(each, str) for each in values)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{name}: {value!r} is no prompt")
    return value


def _schedule(
    starts: Iterable[tuple[int, str]],
    name: str,
    negative: str | None = None,
    blend: int | None = None,
    pictures: Iterable[tuple[int, str]] = (),
    steered: Iterable[tuple[int, Mapping[str, str]]] = (),
) -> Schedule:
    """In order, checked."""
    ordered = sorted(starts, key=lambda start: start[0])
    if not ordered:
        raise SettingsError(f"{name} holds no prompt; write lines such as 12: a coral reef")
    if ordered[0][0] != 0:
        raise SettingsError(f"{name} has no prompt for keyframe 0, the first picture")
    shown = sorted(pictures)
    if shown and shown[0][0] == 0:
        raise SettingsError(f"{name}: keyframe 0 is the first picture: --image gives it")
    for what, listed in (("prompts", ordered), ("pictures", shown)):
        for (one, _), (other, _) in pairwise(listed):
            if one == other:
                raise SettingsError(f"{name} has two {what} for keyframe {one}")
    changes = sorted((each for each in steered if each[1]), key=lambda each: each[0])
    return Schedule(tuple(ordered), negative, blend, tuple(shown), tuple(changes))
