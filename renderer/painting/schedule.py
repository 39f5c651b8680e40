"""A film whose prompt changes by a plan: reading ``--prompts FILE``.

Three forms are read, told apart by the file's ending:

- plain lines, ``12: a coral reef`` (``#`` opens a comment);
- TOML: ``[prompts]`` with the same as ``12 = "a coral reef"``, and at the top
  ``negative_prompt``;
- the JSON that the infinite-zoom extension for AUTOMATIC1111's web UI exports.

The number is the first keyframe that the prompt is for, 0 = the first picture. Pure: text in, plan
out; knows no painter and no project.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Any

from renderer.errors import SettingsError

_LINE = re.compile(r"\s*(?P<keyframe>\d{1,9})\s*:\s*(?P<prompt>.*?)\s*")
_AFFIXES = (("prePrompt", "postPrompt"), ("commonPromptPrefix", "commonPromptSuffix"))
"""Common beginning and end of all prompts, by the names of the extension's versions."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which prompt each keyframe is painted from."""

    starts: tuple[tuple[int, str], ...]
    """(first keyframe, prompt), rising; at least one, the first at 0."""
    negative_prompt: str | None = None
    """None: the plan says nothing about it."""


def read_schedule(text: str, name: str, *, seconds_per_keyframe: float) -> Schedule:
    """The plan in ``text``, the contents of the file ``name``.

    ``seconds_per_keyframe`` turns the seconds that newer exports of the extension count in into
    keyframes. Raises SettingsError, one line with the place, for what can't be read.
    """
    ending = PurePath(name).suffix.casefold()
    if ending == ".json":
        return _from_json(text, name, seconds_per_keyframe)
    if ending == ".toml":
        return _from_toml(text, name)
    return _schedule(_from_lines(text, name), name)


def _from_lines(text: str, name: str) -> Iterable[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or not match["prompt"]:
            raise SettingsError(
                f"{name}, line {number}: expected a keyframe's number and a prompt, such as "
                "12: a coral reef"
            )
        yield int(match["keyframe"]), match["prompt"]


def _from_toml(text: str, name: str) -> Schedule:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name} is not valid TOML: {error}") from None
    for key in values.keys() - {"prompts", "negative_prompt"}:
        raise SettingsError(f"{name}: unknown key {key!r}; known: negative_prompt, prompts")
    prompts, negative = values.get("prompts"), values.get("negative_prompt")
    if not isinstance(prompts, dict):
        raise SettingsError(f'{name} needs a table [prompts] with lines such as 12 = "a reef"')
    if negative is not None and not isinstance(negative, str):
        raise SettingsError(f"{name}: negative_prompt must be text")
    starts = [(_number(key, name), _text(value, name)) for key, value in prompts.items()]
    return _schedule(starts, name, negative)


def _from_json(text: str, name: str, seconds_per_keyframe: float) -> Schedule:
    """``{"prompts": {"headers": […], "data": [[0, "…", …], …]}, "negPrompt": "…", …}``."""
    try:
        values = json.loads(text)
        table = values["prompts"]
        rows = [(row[0], row[1]) for row in table["data"]]
        headers = [str(header) for header in table.get("headers", ())]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise SettingsError(
            f"{name} is no export of the infinite-zoom extension: no prompts with data in it"
        ) from None
    in_seconds = bool(headers) and "second" in headers[0].casefold()
    unit = seconds_per_keyframe if in_seconds else 1.0
    before, after = _affixes(values)
    starts = []
    for start, prompt in rows:
        whole = ", ".join(filter(None, (before, _text(prompt, name).strip(" ,"), after)))
        starts.append((round(_number(start, name) / unit), whole))
    negative = values.get("negPrompt")
    return _schedule(starts, name, negative if isinstance(negative, str) else None)


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
    if isinstance(value, bool) or not 0 <= number < 1e9 or number != int(number):
        raise SettingsError(f"{name}: {value!r} is no keyframe's number; the first one is 0")
    return int(number)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{name}: {value!r} is no prompt")
    return value


def _schedule(
    starts: Iterable[tuple[int, str]], name: str, negative: str | None = None
) -> Schedule:
    """In order, checked."""
    ordered = sorted(starts, key=lambda start: start[0])
    if not ordered:
        raise SettingsError(f"{name} holds no prompt; write lines such as 12: a coral reef")
    if ordered[0][0] != 0:
        raise SettingsError(f"{name} has no prompt for keyframe 0, the first picture")
    for (one, _), (other, _) in pairwise(ordered):
        if one == other:
            raise SettingsError(f"{name} has two prompts for keyframe {one}")
    return Schedule(tuple(ordered), negative)
