"""Numbers, paths and other people's text in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from renderer.formatting import clean, count_text, duration_text, path_text, shortened


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (8.44, "8.4 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (86399, "1 d 0 h"),
        (3 * 86400 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_durations_read_well_and_never_say_60_seconds(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_counts_leave_out_a_total_that_there_is_not() -> None:
    assert count_text(3, 12) == "3/12"
    assert count_text(3, None) == "3"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a coral reef, oil painting", "a coral reef, oil painting"),
        ("[red]x[/red]", "[red]x[/red]"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("two\nlines\r\x07", r"two\nlines\r\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("left\u202eright", r"left\u202eright"),
        ("line\u2028separator", r"line\u2028separator"),
        ("lone \udcff", r"lone \udcff"),
        ("שלום", "שלום"),
        ("日本\u3000語 non\xa0breaking", "日本\u3000語 non\xa0breaking"),
        ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)
def test_text_from_outside_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_long_text_is_cut_and_says_so() -> None:
    assert shortened("x" * 200) == "x" * 200
    assert shortened("x" * 10_000) == "x" * 200 + "… (10000 characters)"
    assert "\x1b" not in shortened("\x1b" * 300)


def test_paths_can_be_pasted_into_a_shell() -> None:
    assert path_text(Path("reef.zoom")) == "reef.zoom"
    assert path_text(Path("my reef.zoom")) == "'my reef.zoom'"
