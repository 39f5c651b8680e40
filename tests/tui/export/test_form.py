"""The export form's texts: what the verb is given for them, and where what is wrong is said."""

from __future__ import annotations

import shlex
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from renderer.settings.export import ExportOptions, Speed
from zoomtui.cli.export import export
from zoomtui.cli.options import wishes
from zoomtui.tui.export.child import ExportFailed, Outcome
from zoomtui.tui.export.describe import Pace, finished_lines, running_lines
from zoomtui.tui.export.form import (
    DEFAULTS,
    ENDINGS,
    FIELDS,
    arguments,
    check,
    command_line,
    free_name,
    other_ending,
)
from zoomtui.tui.shared.form_fields import FieldError
from zoomtui.tui.shared.styled_text import Line

PROJECT = Path("reef.zoom")
TYPED = {
    "out": "~/my film.mp4",
    "direction": "out-in",
    "loop": "yes",
    "easing": "ease-in-out",
    "ease_seconds": "1.5",
    "seconds_per_keyframe": "2",
    "hold_start": "0.5",
    "hold_end": "1",
    "speeds": "1-2=2  3-=.5",
    "focus": "0.3,0.6",
    "fps": "24000/1001",
    "size": "640x360",
    "upscale": "lanczos",
    "codec": "hevc",
    "crf": "20",
    "preset": "slow",
    "encoder_options": "tune=grain g=12",
    "poster": "1",
    "audio": "song [1].ogg",
    "audio_fade_in": "2",
    "audio_fade_out": "0",
    "force": "yes",
}


def parsed(words: list[str]) -> tuple[Path, str, ExportOptions]:
    """What the verb makes of its arguments."""
    asked: dict[str, Any] = export.make_context("export", list(words)).params
    for key in ("as_json", "dry_run", "farm", "address"):
        asked.pop(key)
    return asked.pop("project"), asked.pop("out"), ExportOptions.read(wishes(asked))


def test_every_option_of_an_export_is_a_field() -> None:
    assert set(FIELDS) == {"out", *ExportOptions.__dataclass_fields__}
    assert set(DEFAULTS) == set(FIELDS) - {"out"}


def test_the_verb_understands_all_that_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    check(TYPED)
    line = shlex.split(command_line(PROJECT, TYPED))
    assert line[:2] == ["zoomtui", "export"]
    project, out, options = parsed(line[2:])
    assert (project, out) == (PROJECT, "/home/ann/my film.mp4")
    assert options == ExportOptions(
        direction="out-in",
        loop=True,
        easing="ease-in-out",
        ease_seconds=1.5,
        seconds_per_keyframe=2.0,
        hold_start=0.5,
        hold_end=1.0,
        speeds=(Speed(1, 2, 2.0), Speed(3, None, 0.5)),
        focus=(0.3, 0.6),
        fps=Fraction(24000, 1001),
        size=(640, 360),
        upscale="lanczos",
        codec="hevc",
        crf=20,
        preset="slow",
        encoder_options={"tune": "grain", "g": "12"},
        poster=1.0,
        audio=Path("song [1].ogg"),
        audio_fade_in=2.0,
        audio_fade_out=0.0,
        force=True,
    )


def test_empty_fields_and_no_are_what_the_verb_does_anyway() -> None:
    words = arguments(PROJECT, {"out": "a.mp4", "loop": "no", "force": "no", "size": "  "})
    assert words == ["reef.zoom", "a.mp4"]
    assert parsed(words)[2] == ExportOptions()


def test_names_that_look_like_options_stay_names() -> None:
    words = arguments(Path("--force"), {"out": "-x.mp4", "codec": "-h"})
    assert words[:2] == ["./--force", "./-x.mp4"]
    project, out, options = parsed(words)
    assert (project, Path(out)) == (Path("--force"), Path("-x.mp4"))
    assert not options.force
    assert options.codec == "-h"


@pytest.mark.parametrize(
    ("key", "text", "word"),
    [
        ("out", "", "name the file"),
        ("out", "film.xyz", ".xyz is no kind"),
        ("out", "a%s.png", "names no pictures"),
        ("direction", "up", "unknown direction"),
        ("loop", "maybe", "yes or no"),
        ("easing", "bounce", "easing"),
        ("ease_seconds", "1", "easing"),
        ("seconds_per_keyframe", "0", "above 0"),
        ("duration", "soon", "a number"),
        ("hold_start", "-1", "Hold first must be 0 to 604800 seconds"),
        ("speeds", "3=5", "FIRST-LAST=FACTOR"),
        ("focus", "middle", "X,Y"),
        ("focus", "2,0", "in the picture"),
        ("fps", "0", "Frames/s must be above 0"),
        ("size", "big", "WIDTHxHEIGHT"),
        ("upscale", "ai", "upscale"),
        ("crf", "good", "a whole number"),
        ("encoder_options", "tune", "KEY=VALUE"),
        ("audio_fade_in", "nan", "Fade in must be 0 to 604800 seconds"),
        ("force", "1", "yes or no"),
    ],
)
def test_what_is_wrong_in_itself_is_said_at_its_field(key: str, text: str, word: str) -> None:
    with pytest.raises(FieldError, match=word) as caught:
        check({"out": "a.mp4", key: text})
    assert caught.value.key in (key, "easing" if key == "ease_seconds" else key)


def test_an_error_stands_at_the_field_that_it_blames_or_below() -> None:
    assert FIELDS.complaint(ExportFailed("size is odd", "size")).key == "size"
    assert FIELDS.complaint(ExportFailed("there is nothing to export")).key == ""
    assert FIELDS.complaint(ExportFailed("no such field", "threads")).key == ""


def test_the_kinds_of_file_go_round_and_the_name_stays() -> None:
    name, seen = "a.b.mp4", []
    for _ in range(len(FIELDS["out"].choices)):
        name = other_ending(name, 1)
        seen.append(name)
    assert seen[-1] == "a.b.mp4"
    assert "a.b/" in seen
    assert {f"a.b{ending}" for ending in ENDINGS} < set(seen)
    assert other_ending("./film", 1) == "./film.mp4"
    assert other_ending("notes.txt", 1) == "notes.txt"


def test_the_first_name_is_free_and_harmless(tmp_path: Path) -> None:
    assert free_name(tmp_path, Path("/x/coral reef.zoom")) == "coral reef.mp4"
    (tmp_path / "coral reef.mp4").touch()
    assert free_name(tmp_path, Path("/x/coral reef.zoom")) == "coral reef-2.mp4"
    for hostile in ("\x1b[2J.zoom", "-rf.zoom", "\udcff.zoom", "%d.zoom", ".zoom"):
        name = free_name(tmp_path, Path("/x") / hostile)
        assert name.isprintable()
        assert not name.startswith(("-", "."))
        check({"out": name})


OUTCOME = Outcome("a.mp4", 1200, 40.0, "640x360", False, ())


def said(lines: list[Line]) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


def test_where_it_is_and_how_to_fetch_it_is_never_cut_off_silently() -> None:
    fetch, command = f"scp ann@gpu:/{'x' * 60}.mp4 x.mp4", "zoomtui export " + "y" * 9000
    text = said(finished_lines(Path("/x.mp4"), OUTCOME, 2 << 20, fetch, command, 44))
    assert "1200 frames, 40.0 s, 2.0 MiB" in text
    assert "".join(text.split()).find("x" * 60) > 0
    assert text.endswith("…")
    assert all(len(line) <= 44 for line in text.split("\n"))


@pytest.mark.parametrize("width", [0, 1, 20, 78])
def test_progress_fits_any_width(width: int) -> None:
    clock = iter([100.0, 104.0])
    pace = Pace(lambda: next(clock))
    pace.take(10, 120)
    assert pace.seconds_left is None
    pace.take(40, 120)
    text = said(running_lines(Path("/\x1b[2J.mp4"), pace, False, width))
    assert "\x1b" not in text
    assert width < 20 or ("40/120" in text and "10.7 s left" in text)
