"""ExportOptions: what is asked of an export, checked as far as it can be by itself.

What contradicts the film or the target is found in ``renderer.export.plan``. Loads nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from renderer.errors import SettingsError
from renderer.settings.export_rows import ExportRows
from renderer.settings.option import NOTATION, options_of
from renderer.settings.plain_values import from_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions(ExportRows):
    """What is asked. Raises SettingsError, naming the option, for a value that can't be used."""

    def __post_init__(self) -> None:
        for name, option in EXPORT_OPTIONS.items():
            if option.check and (complaint := option.check(name, getattr(self, name))):
                raise SettingsError(complaint, name)
        if self.duration is not None and self.seconds_per_keyframe is not None:
            raise SettingsError(
                "duration and seconds per keyframe contradict each other; give one", "duration"
            )
        if self.ease_seconds is not None and self.easing == "linear":
            raise SettingsError(
                "ease seconds need an easing to shorten; add --easing ease-in-out, for instance",
                "easing",
            )

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> ExportOptions:
        """From plain values: texts and numbers, as the command line and the form hold them."""
        typed = {}
        for name, value in given.items():
            option = EXPORT_OPTIONS[name]
            try:
                typed[name] = from_plain(option, value)
            except SettingsError as error:
                raise SettingsError(str(error), name) from None
            except ValueError:
                text = f"{name} {value!r} is not {NOTATION[option.kind]}"
                raise SettingsError(text, name) from None
        return cls(**typed)

    @property
    def times_as_film(self) -> bool:
        """True: every frame is the film's own, at the film's own time."""
        asked = (self.fps, self.seconds_per_keyframe, self.duration, self.speeds)
        bent = self.direction is not None or self.easing != "linear" or self.loop
        return not (bent or self.hold_start or self.hold_end or any(asked))

    @property
    def encodes(self) -> bool:
        """True: something is asked of the encoder beyond the codec's name."""
        asked = (self.crf, self.preset, self.bit_depth)
        return asked != (None, None, None) or bool(self.encoder_options)


EXPORT_OPTIONS = options_of(ExportOptions)
"""Name → row, of every option, in the order of the verb's help."""
