"""Whatever is wrong: one clear line, the documented exit code, and nothing left on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.processes import QUICK, painter, zoomtui, zoomtui_here
from tests.cli.refusals import LONG, assert_one_line, assert_refused, listing

DIFFUSION = ("render", "a reef", "--painter", "diffusion")


WRONG_PICTURES = {
    "no such picture": (("--image", "nowhere.png"), 2, ["nowhere.png", "does not exist"]),
    "no picture": (("--image", "text.png"), 2, ["text.png", "recognised image format"]),
    "a torn picture": (("--image", "torn.png"), 2, ["torn.png", "can't be read"]),
    "a tiny picture": (("--image", "tiny.png"), 2, ["tiny.png is 40x300", "at least 64 px"]),
    "a folder as picture": (("--image", "full"), 2, ["full can't be read", "folder"]),
    "a picture's name too long": (("--image", LONG), 2, ["name too long"]),
    "a bad exemplar": (
        ("--exemplar", "text.png"),
        2,
        ["text.png", "recognised image format"],
    ),
}
WRONG_NUMBERS = {
    "an odd size": (("--size", "101x64"), 2, ["101x64", "odd", "use 102x64"]),
    "a tiny size": (("--size", "10x10"), 2, ["10x10 is too small", "at least 64"]),
    "an absurd size": (("--size", "99998x99998"), 2, ["out of range", "64 to 8192"]),
    "a negative size": (("--size", "-96x64"), 2, ["-96x64 is too small"]),
    "no size": (("--size", "banana"), 2, ["WIDTHxHEIGHT, such as 1280x720", "banana"]),
    "a keyframe size off the grid": (("--keyframe-size", "100x100"), 2, ["multiples of 8"]),
    "no zoom": (("--zoom-factor", "1"), 2, ["--zoom-factor must be above 1"]),
    "zooming in": (("--zoom-factor", "-2"), 2, ["--zoom-factor must be above 1"]),
    "no number": (("--zoom-factor", "nan"), 2, ["--zoom-factor must be above 1"]),
    "endless zoom": (("--zoom-factor", "inf"), 2, ["--zoom-factor must be above 1"]),
    "too much zoom": (("--zoom-factor", "9"), 2, ["too large; at most 4"]),
    "no border": (("--outpaint-size", "0"), 2, ["outpaint size must be at least 1 pixel"]),
    "a negative border": (("--outpaint-size", "-3"), 2, ["at least 1 pixel", "-3"]),
    "zoom said twice": (("--outpaint-size", "9", "--zoom-factor", "2"), 2, ["only one"]),
    "pace said twice": (
        ("--frames-per-keyframe", "3", "--seconds-per-keyframe", "2"),
        2,
        ["only one"],
    ),
    "no frame rate": (("--fps", "0"), 2, ["fps must be above 0"]),
    "a negative frame rate": (("--fps", "-5"), 2, ["fps must be above 0"]),
    "a word as frame rate": (("--fps", "abc"), 2, ["fps must be a number", "24000/1001", "abc"]),
    "a fraction of nothing": (("--fps", "30/0"), 2, ["fps must be a number", "30/0"]),
    "a frame rate to choke on": (("--fps", "1e99999999"), 2, ["fps must be a number"]),
    "a negative seed": (("--seed", "-1"), 2, ["--seed must be 0 to", "-1"]),
    "no steps": (("--steps", "0"), 2, ["--steps must be at least 1"]),
    "one keyframe": (("--keyframes", "1"), 2, ["--keyframes must be at least 2"]),
    "negative keyframes": (("--keyframes", "-5"), 2, ["--keyframes must be at least 2"]),
    "a word as keyframes": (("--keyframes", "many"), 2, ["neither a whole number nor inf"]),
    "absurdly many keyframes": (("--keyframes", "9" * 40), 2, ["at most 1000000"]),
    "no frames": (("--frames-per-keyframe", "0"), 2, ["at least 1"]),
    "absurdly many frames": (("--seconds-per-keyframe", "1e300"), 2, ["at most 1000000"]),
    "negative seconds": (("--seconds-per-keyframe", "-1"), 2, ["must be above 0"]),
    "negative guidance": (("--guidance-scale", "-1"), 2, ["--guidance-scale must be 0 or more"]),
    "too much strength": (("--strength", "2"), 2, ["--strength must be above 0 and at most 1"]),
    "a negative quality": (("--crf", "-1"), 2, ["--crf must be 0 to"]),
}
WRONG_NAMES = {
    "an unknown method": (
        ("--method", "diagonal"),
        2,
        ["'diagonal'", "direct, refine"],
    ),
    "an unknown codec": (("--codec", "h265x"), 2, ["'h265x'", "did you mean"]),
    "an encoder that can't open": (("--codec", "h264_amf"), 7, ["h264_amf can't be opened"]),
    "an unknown preset": (("--preset", "veryfats"), 2, ["did you mean 'veryfast'"]),
    "an unknown encoder option": (("--encoder-option", "nonsense=1"), 2, ["nonsense"]),
    "half an encoder option": (("--encoder-option", "tune"), 2, ["not KEY=VALUE"]),
    "an encoder option's bad value": (("--encoder-option", "tune=flim"), 2, ["'film'"]),
    "an encoder option that breaks segments": (("--encoder-option", "g=1"), 2, ["can't be used"]),
    "an unknown painter": (("--painter", "textur"), 2, ["did you mean 'texture'"]),
    "a painter's module that is not there": (("--painter", "no_mod:make"), 5, ["no module no_mod"]),
    "a painter's factory that is not there": (("--painter", "json:dump5"), 5, ["'dump'"]),
    "a painter that is none": (("--painter", "json:__doc__"), 5, ["is no factory"]),
    "an unknown option": (("--sizee", "1"), 2, ["--size", "zoomtui render --help"]),
    "two prompts": (("a", "b"), 2, ["unexpected extra argument"]),
}
WRONG_PLACES = {
    "a file as project": (("--out", "afile"), 3, ["afile is a file", "another --out"]),
    "another folder": (("--out", "full"), 3, ["full exists and is not a zoomtui project"]),
    "the root": (("--out", "/"), 3, ["/ exists", "another --out"]),
    "this folder, not empty": (("--out", "."), 3, ["exists and is not a zoomtui project"]),
    "below a file": (("--out", "afile/reef.zoom"), 6, ["can't write afile/reef.zoom"]),
    "where nothing can be made": (("--out", "/proc/reef.zoom"), 6, ["can't write /proc/reef"]),
    "a name too long": (("--out", LONG), 3, ["name too long"]),
}


@pytest.mark.parametrize("case", [*WRONG_PICTURES, *WRONG_NAMES, *WRONG_PLACES])
def test_a_render_that_can_not_be_is_refused_before_anything_is_written(
    inputs: Path, case: str
) -> None:
    arguments, code, parts = (WRONG_PICTURES | WRONG_NAMES | WRONG_PLACES)[case]
    before = listing(inputs)
    answer = zoomtui_here("render", *_besides(arguments), *arguments, cwd=inputs)
    assert_refused(answer, code, *parts)
    assert listing(inputs) == before


@pytest.mark.parametrize("case", WRONG_NUMBERS)
def test_a_number_that_can_not_be_is_refused(tmp_path: Path, case: str) -> None:
    arguments, code, parts = WRONG_NUMBERS[case]
    answer = zoomtui_here("render", *_besides(arguments), *arguments, cwd=tmp_path)
    assert_refused(answer, code, *parts)
    assert listing(tmp_path) == []


def _besides(arguments: tuple[str, ...]) -> list[str]:
    """The options of a quick film that ``arguments`` do not contradict."""
    taken = {word for word in arguments if word.startswith("--")}
    if "--seconds-per-keyframe" in taken:
        taken.add("--frames-per-keyframe")
    if "--codec" in taken:
        taken.add("--preset")
    pairs = zip(QUICK[::2], QUICK[1::2], strict=True)
    return [word for pair in pairs if pair[0] not in taken for word in pair]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("render", "", "--painter", "diffusion"), ["needs a prompt"]),
        ((*DIFFUSION, "--model", "~no-such-user"), ["there is no such folder"]),
        (
            (*DIFFUSION, "--upscale", "2", "--upscaler", "~no-such-user/a.safetensors"),
            ["there is no such file"],
        ),
        (("render", "  ", "--model", "sd2"), ["needs a prompt"]),
        ((*DIFFUSION, "--scheduler", "eulr"), ["'eulr'", "did you mean 'euler'"]),
        ((*DIFFUSION, "--model", "sd3"), ["'sd3'", "did you mean 'sd2'"]),
        ((*DIFFUSION, "--model", "./none"), ["./none: there is no such folder"]),
    ],
)
def test_what_the_diffusion_painter_can_not_do_is_refused_without_loading_it(
    tmp_path: Path, arguments: tuple[str, ...], parts: list[str]
) -> None:
    assert_refused(zoomtui_here(*arguments, cwd=tmp_path), 2, *parts)
    assert listing(tmp_path) == []


@pytest.mark.slow
def test_a_folder_that_is_no_model_leaves_no_project_behind(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    answer = zoomtui(*DIFFUSION, "--model", "./model", "--out", "reef.zoom", cwd=tmp_path)
    assert_one_line(answer, 5, "model", "model_index.json")
    assert listing(tmp_path) == ["model"]


def test_a_painter_that_can_not_be_loaded_leaves_no_project_behind(tmp_path: Path) -> None:
    answer = zoomtui("render", *painter("unloadable", 0), "--out", "reef.zoom", cwd=tmp_path)
    assert_one_line(answer, 5, "nowhere to be found; download it")
    assert listing(tmp_path) == []


def test_a_painter_that_fails_on_the_way_leaves_what_is_done(tmp_path: Path) -> None:
    answer = zoomtui("render", *painter("failing", 2), "--out", "reef.zoom", cwd=tmp_path)
    assert_one_line(answer, 5, "out of paint at keyframe 2")
    assert (tmp_path / "reef.zoom" / "film.mp4").stat().st_size > 0
    assert "mpv reef.zoom/live.m3u8" in answer.out


@pytest.mark.slow
def test_a_bug_is_one_line_too_and_its_details_are_in_the_log(tmp_path: Path) -> None:
    answer = zoomtui("render", *painter("broken", 2), "--out", "reef.zoom", cwd=tmp_path)
    assert_one_line(answer, 1, "the painter's own bug", "render.log")
    log = (tmp_path / "reef.zoom" / "render.log").read_text()
    assert "Traceback" in log
    assert "ZeroDivisionError" in log


@pytest.mark.slow
def test_with_json_an_error_is_an_event_and_a_line(tmp_path: Path) -> None:
    answer = zoomtui("render", *painter("failing", 2), "--json", "--out", "a.zoom", cwd=tmp_path)
    assert_one_line(answer, 5, "out of paint")
    assert '"event": "RenderFailed"' in answer.lines[-1]


def test_bytes_that_are_no_text_are_refused_where_they_would_be_stored(tmp_path: Path) -> None:
    for arguments in ((b"\xff\xfe",), ("x", "--negative-prompt", b"caf\xe9")):
        answer = zoomtui("render", *arguments, *QUICK, cwd=tmp_path)
        assert_refused(answer, 2, "prompt", "UTF-8", r"\udc")
    assert listing(tmp_path) == []


def test_a_render_of_nothing_is_no_endless_film(tmp_path: Path) -> None:
    for more in ((), ("--headless",), ("--json",), ("--size", "96x96")):
        answer = zoomtui("render", *more, cwd=tmp_path)
        assert_one_line(answer, 2, "nothing says what to paint", "--image", "zoomtui demo")
    assert listing(tmp_path) == []
