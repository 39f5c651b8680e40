"""RenderSettings: everything that decides a film, checked once, and its TOML form.

Frozen and fully resolved: nothing here is "default" or "automatic" any more (those are filled in by
``planning.defaults``). Its rows stand in ``painting`` and ``film``. Knows no files but its own TOML
text, no models and no threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import tomli_w

from renderer.errors import ProjectError, SettingsError
from renderer.settings.film import MIN_SIDE, FilmSettings
from renderer.settings.option import NOTATION, Option, options_of, unknown
from renderer.settings.painting import PaintingSettings
from renderer.settings.plain_values import dimensions, from_plain, is_text, read_toml, to_plain

SCHEMA = 1
"""Version of project.toml; a newer one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings(FilmSettings):
    """One film. Raises SettingsError, naming the field, when a value can't be used."""

    def __post_init__(self) -> None:
        for name, option in OPTIONS.items():
            value = getattr(self, name)
            if isinstance(value, str) and not is_text(value):
                text = f"{name} is not UTF-8 text: {value!r}; is the locale UTF-8?"
                raise SettingsError(text, name)
            if option.check and (complaint := option.check(name, value)):
                raise SettingsError(complaint, name)
        self._check_multiples()

    def _check_multiples(self) -> None:
        step = self.canvas_multiple
        nearest = tuple(nearest_multiple(side, step) for side in self.keyframe_size)
        if nearest != self.keyframe_size:
            raise SettingsError(
                f"keyframe_size {dimensions(self.keyframe_size)} must be in multiples of {step} "
                f"for this painter; nearest: {nearest[0]}x{nearest[1]}",
                "keyframe_size",
            )
        if min(self.keyframe_size) < MIN_SIDE * self.upscale:
            raise SettingsError(
                f"keyframe_size {dimensions(self.keyframe_size)} is too small for upscale "
                f"{self.upscale}; each side at least {MIN_SIDE * self.upscale}",
                "keyframe_size",
            )

    @property
    def canvas_multiple(self) -> int:
        """Sides of P and of every canvas are multiples of this."""
        return self.size_multiple * self.upscale

    def painted_smaller(self) -> RenderSettings:
        """What the painter is made with: its own pictures are ``upscale`` times smaller."""
        width, height = self.keyframe_size
        size = width // self.upscale, height // self.upscale
        return replace(self, keyframe_size=size, tile=self.tile // self.upscale, upscale=1)

    def to_toml(self) -> str:
        """The text of project.toml. ``from_toml`` gives an equal value back."""
        return tomli_w.dumps({"schema": SCHEMA, **self.plain()})

    @classmethod
    def from_toml(cls, text: str, where: str = "project.toml") -> RenderSettings:
        """Read ``to_toml``'s text.

        Raises ProjectError for text that is no TOML or is from a newer zoomtui, and SettingsError
        for an unknown key (the nearest right one is named) or a value that can't be used.
        """
        try:
            values = read_toml(text)
        except ValueError as error:
            raise ProjectError(f"{where} is not valid TOML: {error}") from None
        schema = values.pop("schema", None)
        if not isinstance(schema, int):
            raise ProjectError(f"{where} has no schema number: it is not a zoomtui project")
        if schema > SCHEMA:
            raise ProjectError(
                f"{where} was written by a newer zoomtui (schema {schema}, this one knows "
                f"{SCHEMA}); upgrade zoomtui to open it"
            )
        return cls().changed(values, where)

    def changed(self, values: Mapping[str, Any], where: str = "") -> RenderSettings:
        """A copy with plain values (as TOML or JSON hold them) put in place of the named fields."""
        try:
            return replace(self, **typed(values, OPTIONS))
        except SettingsError as error:
            prefix = f"{where}: " if where else ""
            raise SettingsError(f"{prefix}{error}", error.field) from None

    def check_needs(self) -> None:
        """Raise SettingsError where the painter can't do without something that is empty."""
        for name, option in OPTIONS.items():
            if self.painter in option.needed_by and not getattr(self, name).strip():
                painter = self.model or self.painter
                raise SettingsError(f"the {name} is empty; {painter} needs one", name)

    def plain(self) -> dict[str, Any]:
        """Every field as TOML and JSON hold it; ``changed`` takes it back."""
        return {name: to_plain(option, getattr(self, name)) for name, option in OPTIONS.items()}

    @property
    def other_way(self) -> bool:
        """Whether the finished film is made once more, running the other way than rendered."""
        return self.direction != ("in" if self.method == "refine" else "out")

    @property
    def film_frames(self) -> int | None:
        """Frames of the finished film: (keyframes - 1) x frames per keyframe + 1."""
        if self.keyframes is None:
            return None
        return (self.keyframes - 1) * self.frames_per_keyframe + 1


OPTIONS = options_of(RenderSettings)
"""Name → row, of every setting, in the order of project.toml."""
STEERABLE = frozenset(name for name, option in OPTIONS.items() if option.steerable)
"""What may change after creation: from the next keyframe on. All else is fixed by the film."""
OF_THE_RENDER = STEERABLE - set(options_of(PaintingSettings))
"""Of those, what is about no keyframe: the value given last counts, whatever is taken back."""


def typed(values: Mapping[str, Any], rows: Mapping[str, Option]) -> dict[str, Any]:
    """Plain values, as TOML or JSON hold them, in the types of their rows. Raises SettingsError."""
    found = {}
    for key, value in values.items():
        if key not in rows:
            raise SettingsError(unknown(f"key {key!r}", key, set(rows)))
        try:
            found[key] = from_plain(rows[key], value)
        except SettingsError as error:
            raise SettingsError(str(error), key) from None
        except (TypeError, ValueError, ArithmeticError):
            how = f"; it must be {NOTATION['size']}" if rows[key].kind == "size" else ""
            raise SettingsError(f"{key} can't be {value!r}{how}", key) from None
    return found


def nearest_multiple(value: float, step: int) -> int:
    """The multiple of ``step`` nearest to ``value``, at least one step."""
    return max(step, round(value / step) * step)
