"""Conditions on which a render stops or pauses by itself, as they are written."""

from __future__ import annotations

import pytest

from renderer.errors import SettingsError
from renderer.settings.conditions import EXAMPLES, condition_text, read_condition
from renderer.settings.render import RenderSettings


@pytest.mark.parametrize(
    ("text", "kind", "limit", "kept"),
    [
        ("drift>60", "drift", 60, "drift>60"),
        (" seam > 2.5 ", "seam", 2.5, "seam>2.5"),
        ("seconds>600", "seconds", 600, "seconds>600"),
        ("disk<5GiB", "disk", 5 << 30, "disk<5GiB"),
        ("disk<500mb", "disk", 500_000_000, "disk<500mb"),
        ("time>07:00", "time", 420, "time>07:00"),
        ("time>23:59", "time", 1439, "time>23:59"),
    ],
)
def test_what_is_written_is_understood(text: str, kind: str, limit: float, kept: str) -> None:
    condition = read_condition(text)
    assert (condition.kind, condition.limit, condition.text) == (kind, limit, kept)
    assert condition_text(kept) == kept


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a condition; such as drift>60"),
        ("drift", "is not a condition"),
        ("drift>60 seam>2", "is not a condition"),
        ("mood>3", "is not a condition"),
        ("drift<60", "drift is written with >, as in drift>60"),
        ("disk>5GiB", "disk is written with <, as in disk<5GiB"),
        ("disk<5", "5 can't be used there; such as disk<5GiB"),
        ("time>25:00", "25:00 can't be used there; such as time>07:00"),
        ("seam>nan", "nan can't be used there"),
        ("seam>-1", "-1 can't be used there"),
    ],
)
def test_what_can_not_be_understood_is_said_in_a_line(text: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_condition(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_they_are_settings_that_are_kept_and_read_again() -> None:
    settings = RenderSettings(stop_when=EXAMPLES, pause_when=("seam>2",))
    assert RenderSettings.from_toml(settings.to_toml()) == settings
    with pytest.raises(SettingsError, match="not a condition"):
        RenderSettings().changed({"stop_when": ["tomorrow"]})
