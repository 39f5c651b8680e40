"""Exports of real projects, decoded again: every frame, its time, and nothing left when refused."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import chain as joined
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import psutil
import pytest
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from PIL import Image

from renderer.errors import EncoderError, ProjectError, RendererError, SettingsError, StorageError
from renderer.export import chunks as chunking
from renderer.export.containers import Target
from renderer.export.of_project import ExportOptions, Plan, export, plan_export, read_footage
from renderer.export.plan import make_plan
from renderer.export.process_pool import apart, in_order
from renderer.painting.geometry import Geometry
from renderer.project.project import Project
from renderer.project.rewinding import rewound
from renderer.settings.export import Speed
from renderer.settings.render import RenderSettings
from tests.cli.processes import children_with
from tests.engine.runs import project, render, steer
from tests.planning.chains import LOSSLESS, chain, luma_of, lumas, plane_of, psnr, times
from tests.worlds import PictureWorld, natural, true_frame

FRAMES = 12


@pytest.fixture(scope="session")
def world() -> PictureWorld:
    return natural(2400)


@pytest.fixture(scope="session")
def reef(tmp_path_factory: pytest.TempPathFactory, world: PictureWorld) -> Path:
    """Four true keyframes and their lossless film: 37 frames of 320x180."""
    folder = tmp_path_factory.mktemp("reef") / "reef.zoom"
    chain(folder, world, encoder_options=LOSSLESS, frames_per_keyframe=FRAMES)
    render(folder)
    return folder


def made(reef: Path, out: Path | str, **asked: Any) -> Plan:
    plan = plan_export(reef, str(out), ExportOptions(**asked))
    export(plan, lambda done, total: None)
    return plan


def left_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def truths(world: PictureWorld, settings: RenderSettings, plan: Plan) -> Iterator[Any]:
    geometry = replace(Geometry.of(settings), keyframe_size=(320, 180))
    for number in range(plan.frames):
        depth = float(plan.take.timeline.shot(number).depth)
        yield luma_of(true_frame(world, geometry, depth, plan.take.size))


@pytest.mark.parametrize("name", ["film.mp4", "keyframes", "keyframes/%06d.png", ""])
def test_no_export_is_written_over_what_a_project_is_made_of(reef: Path, name: str) -> None:
    before = {path: path.read_bytes() for path in reef.rglob("*") if path.is_file()}
    with pytest.raises(SettingsError, match=r"is what the project .* is made of") as refused:
        made(reef, reef / name, force=True, direction="in")
    assert len(str(refused.value).splitlines()) == 1
    assert {path: path.read_bytes() for path in reef.rglob("*") if path.is_file()} == before


# ------------------------------------------------------------------------------ what is in it


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.mov"])
def test_an_unchanged_film_is_copied_packet_for_packet(
    reef: Path, tmp_path: Path, name: str
) -> None:
    plan = made(reef, tmp_path / name)
    assert plan.copies
    with av.open(str(reef / "film.mp4")) as film, av.open(str(tmp_path / name)) as copy:
        theirs, ours = (
            sorted(bytes(packet) for packet in each.demux(video=0) if packet.size)
            for each in (film, copy)
        )
    assert ours == theirs
    late = [abs(at - Fraction(number, 30)) for number, at in enumerate(times(tmp_path / name))]
    assert len(late) == 3 * FRAMES + 1
    assert max(late) <= (Fraction(1, 2000) if name.endswith("mkv") else 0)
    assert left_in(tmp_path) == [name]


def test_a_film_with_a_wrong_byte_is_not_copied(reef: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(reef, tmp_path / "reef.zoom")
    with (folder / "film.mp4").open("r+b") as film:
        film.seek(film.seek(0, 2) // 2)
        film.write(b"\xff\x00\xff\x00")
    with pytest.raises(ProjectError, match=r"film\.mp4: segment \d is not what was written"):
        made(folder, tmp_path / "film.mp4")
    assert left_in(tmp_path) == ["reef.zoom"]


def test_an_mp4_begins_with_its_index(reef: Path, tmp_path: Path) -> None:
    made(reef, tmp_path / "film.mp4")
    data = (tmp_path / "film.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_with_unchanged_timing_the_frames_are_the_films_bit_for_bit(
    reef: Path, tmp_path: Path
) -> None:
    plan = made(reef, tmp_path / "film.mkv", preset="superfast")
    assert not plan.copies
    for mine, theirs in zip(lumas(tmp_path / "film.mkv"), lumas(reef / "film.mp4"), strict=True):
        assert np.array_equal(mine, theirs)


def test_zooming_in_shows_the_same_frames_backwards(reef: Path, tmp_path: Path) -> None:
    made(reef, tmp_path / "in.mp4", direction="in")
    backwards = lumas(tmp_path / "in.mp4")
    assert all(
        np.array_equal(mine, theirs)
        for mine, theirs in zip(backwards, lumas(reef / "film.mp4")[::-1], strict=True)
    )
    assert times(tmp_path / "in.mp4") == [Fraction(n, 30) for n in range(3 * FRAMES + 1)]


@pytest.mark.parametrize(
    "asked",
    [
        {"fps": Fraction(24000, 1001), "seconds_per_keyframe": 0.3},
        {"duration": 0.5, "easing": "ease-in-out", "direction": "in"},
        {"size": (240, 134), "speeds": (Speed(2, 3, 0.5),), "direction": "out-in"},
        {"hold_start": 0.1, "hold_end": 0.2, "easing": "ease-out", "ease_seconds": 0.2},
    ],
    ids=["rate", "eased", "smaller", "held"],
)
def test_every_frame_is_the_true_view_of_a_known_world(
    reef: Path, world: PictureWorld, tmp_path: Path, asked: dict[str, Any]
) -> None:
    plan = made(reef, tmp_path / "film.mp4", **asked, encoder_options=LOSSLESS)
    shown = lumas(tmp_path / "film.mp4")
    assert len(shown) == plan.frames
    assert times(tmp_path / "film.mp4") == [n / plan.fps for n in range(plan.frames)]
    settings = read_footage(reef).settings
    if plan.take.size != (320, 180):
        return _assert_smaller_is_exact(plan, shown, world)
    exact = [
        psnr(mine, truth) for mine, truth in zip(shown, truths(world, settings, plan), strict=True)
    ]
    assert np.mean(exact) >= 52
    assert np.percentile(exact, 5) >= 48
    return None


def _assert_smaller_is_exact(plan: Plan, shown: list[Any], world: PictureWorld) -> None:
    """240x134 is cut a little at the sides of 320x180's picture: as high as the keyframe allows."""
    camera = plan.take.view_path.camera
    first = camera.view(camera.keyframe_size, 0.0)
    for number, mine in enumerate(shown):
        depth = float(plan.take.timeline.shot(number).depth)
        pixel = first.width * camera.zoom_factor**depth / plan.take.size[0]
        # The view's own height, which is not quite that of square pixels, is within a hundredth.
        assert psnr(mine, luma_of(world.view(pixel, plan.take.size))) >= 40


def test_about_a_focus_every_frame_is_the_true_view_too(
    reef: Path, world: PictureWorld, tmp_path: Path
) -> None:
    plan = made(
        reef, tmp_path / "film.mp4", focus=(0.8, 0.3), size=(160, 92), encoder_options=LOSSLESS
    )
    assert plan.notes
    view_path = plan.take.view_path
    footage = read_footage(reef)
    exact = []
    for number, mine in enumerate(lumas(tmp_path / "film.mp4")):
        sight = view_path.sight(plan.take.timeline.shot(number).depth)
        box = view_path.box(footage.canvas_size, sight)
        unit = view_path.camera.zoom_factor**sight.interval
        side = world.picture.width / 2
        middle = [size / 2 for size in footage.canvas_size]
        edges = (
            side + (box.left - middle[0]) * unit,
            side + (box.top - middle[1]) * unit,
            side + (box.right - middle[0]) * unit,
            side + (box.bottom - middle[1]) * unit,
        )
        view = world.picture.resize((160, 92), Image.Resampling.LANCZOS, box=edges)
        exact.append(psnr(mine, luma_of(np.asarray(view))))
    assert np.mean(exact) >= 52
    assert min(exact) >= 44


def test_a_loop_ends_one_step_before_its_beginning(reef: Path, tmp_path: Path) -> None:
    made(reef, tmp_path / "loop.mp4", loop=True, encoder_options=LOSSLESS, fps=Fraction(60))
    shown = [luma.astype(float) for luma in lumas(tmp_path / "loop.mp4")]
    steps = [np.abs(b - a).mean() for a, b in zip(shown, [*shown[1:], shown[0]], strict=True)]
    assert len(shown) == 2 * 2 * FRAMES
    assert steps[-1] < 1.15 * np.median(steps)


def test_a_way_there_and_back_is_closed(reef: Path, tmp_path: Path) -> None:
    made(reef, tmp_path / "back.mp4", direction="in-out", encoder_options=LOSSLESS)
    shown = lumas(tmp_path / "back.mp4")
    assert len(shown) == 6 * FRAMES + 1
    assert np.array_equal(shown[0], shown[-1])
    assert np.array_equal(shown[0], lumas(reef / "film.mp4")[-1])


def test_any_aspect_is_a_crop_about_the_middle(reef: Path, tmp_path: Path) -> None:
    made(reef, tmp_path / "tall.mp4", size=(100, 180), encoder_options=LOSSLESS)
    tall, wide = lumas(tmp_path / "tall.mp4"), lumas(reef / "film.mp4")
    middle = wide[5].astype(float)[:, 110:210]
    assert tall[5].shape == (180, 100)
    assert psnr(tall[5], middle) > 24  # not the same pixels: 184 high instead of 180


# --------------------------------------------------------------------------- kinds of files


CODECS = [
    ("film.mp4", "hevc"),
    ("film.mp4", "av1"),
    ("film.mp4", "vp9"),
    ("film.mov", "hevc"),
    ("film.mkv", "av1"),
    ("film.webm", None),
    ("film.webm", "av1"),
]


@pytest.mark.parametrize(("name", "codec"), CODECS)
def test_every_codec_and_container_holds_every_frame(
    reef: Path, tmp_path: Path, name: str, codec: str | None
) -> None:
    made(reef, tmp_path / name, codec=codec, direction="in", size=(160, 90))
    late = [abs(at - Fraction(number, 30)) for number, at in enumerate(times(tmp_path / name))]
    assert len(late) == 3 * FRAMES + 1
    assert max(late) <= (Fraction(1, 2000) if name.endswith(("mkv", "webm")) else 0)
    assert_second_decoder_is_content(tmp_path / name, 3 * FRAMES + 1)


def assert_second_decoder_is_content(path: Path, frames: int) -> None:
    if not shutil.which("ffprobe"):
        return
    asked = ["-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames"]
    done = subprocess.run(
        ["ffprobe", "-v", "warning", *asked, "-of", "csv=p=0", path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert int(done.stdout.split(",")[0].split()[0]) == frames


@pytest.mark.parametrize("name", ["film.gif", "film.webp", "film.png"])
def test_animated_pictures_repeat_for_ever_at_the_right_pace(
    reef: Path, tmp_path: Path, name: str
) -> None:
    plan = made(reef, tmp_path / name, direction="in", size=(160, 90), duration=1.2)
    with Image.open(tmp_path / name) as animation:
        assert getattr(animation, "n_frames", 1) == plan.frames == round(1.2 * plan.fps)
        assert animation.info["loop"] == 0
        shown = []
        for number in range(plan.frames):
            animation.seek(number)
            shown.append(np.asarray(animation.convert("RGB")))
    for mine, truth in zip(shown, plan.take.frames(), strict=True):
        least = {"film.gif": 25, "film.webp": 30, "film.png": 99}[name]
        assert psnr(luma_of(mine), luma_of(truth)) > least
    data = (tmp_path / name).read_bytes()
    assert b"a reef" in data  # the provenance
    if name != "film.webp":  # which Debian's ffmpeg can't read
        assert_second_decoder_is_content(tmp_path / name, plan.frames)


@pytest.mark.parametrize("name", ["film.gif", "film.webp", "film.png"])
def test_an_animation_whose_frames_are_all_alike_can_be_read(tmp_path: Path, name: str) -> None:
    folder, plain = tmp_path / "p.zoom", Image.new("RGB", (1200, 1200), (90, 140, 60))
    chain(folder, PictureWorld(plain), keyframes=2)
    made(folder, tmp_path / name, size=(160, 90))
    with Image.open(tmp_path / name) as picture:
        shown = np.asarray(picture.convert("RGB"), int)
    assert shown.shape == (90, 160, 3)
    assert np.abs(shown - (90, 140, 60)).max() <= 8
    if name == "film.webp":  # a simple file, of VP8's profile 0
        data = (tmp_path / name).read_bytes()
        assert (data[12:16], data[20] & 0b1110) == (b"VP8 ", 0)
        assert len(data) == 20 + int.from_bytes(data[16:20], "little")


def test_a_gif_has_the_nearest_rate_that_it_can_have(reef: Path, tmp_path: Path) -> None:
    assert plan_export(reef, str(tmp_path / "a.gif"), ExportOptions()).fps == 25
    with pytest.raises(SettingsError, match="--fps 20 or 25"):
        plan_export(reef, str(tmp_path / "a.gif"), ExportOptions(fps=Fraction(22)))


def test_pictures_are_the_exact_frames_with_their_provenance(reef: Path, tmp_path: Path) -> None:
    plan = made(reef, f"{tmp_path}/frames/", direction="in")
    names = left_in(tmp_path / "frames")
    assert names == [f"{number:06d}.png" for number in range(3 * FRAMES + 1)]
    with Image.open(tmp_path / "frames" / names[7]) as picture:
        (truth,) = plan.take.frames(7, 1)
        assert np.array_equal(np.asarray(picture), truth)
        assert json.loads(picture.info["zoomtui"])["settings"]["prompt"] == "a reef"
    # RGB and the film's own Y'CbCr show the same
    (yuv,) = replace(plan.take, rgb=False).frames(7, 1)
    assert psnr(luma_of(truth), yuv[:180]) > 55
    assert left_in(tmp_path) == ["frames"]


def test_pictures_go_into_a_folder_that_is_there_beside_what_it_holds(
    reef: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    small: Any = partial(made, reef, f"{tmp_path}/shot-%04d.png", size=(64, 64), duration=0.1)
    small()
    assert left_in(tmp_path) == ["kept.txt", "shot-0000.png", "shot-0001.png", "shot-0002.png"]
    with pytest.raises(SettingsError, match=r"shot-0000\.png exists"):
        small()
    small(force=True)
    assert (tmp_path / "kept.txt").read_text() == "mine"


def test_pictures_of_a_longer_film_do_not_stay_behind_those_of_a_shorter_one(
    reef: Path, tmp_path: Path
) -> None:
    pictures: Any = partial(made, reef, f"{tmp_path}/shot-%04d.png", size=(64, 64))
    own = ["shot-3.png", "shot-0003.txt", "shot-00003.png", "shot-2024.png"]
    for name in own:
        (tmp_path / name).write_text("the user's own")
    pictures(duration=0.4)
    for number in range(3):
        (tmp_path / f"shot-{number:04d}.png").unlink()
    with pytest.raises(SettingsError, match=r"shot-0003\.png exists"):
        pictures(duration=0.1)
    pictures(duration=0.1, force=True)
    shown = [f"shot-{number:04d}.png" for number in range(3)]
    assert left_in(tmp_path) == sorted([*shown, *own])


@pytest.fixture
def other_disk() -> Iterator[Path]:
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("there is no /dev/shm")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_pictures_go_into_a_folder_on_another_disk(
    reef: Path, tmp_path: Path, other_disk: Path
) -> None:
    if other_disk.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other disk")
    (tmp_path / "frames").symlink_to(other_disk)
    with pytest.raises(KeyboardInterrupt):
        export(plan_export(reef, str(tmp_path / "frames"), ExportOptions()), interrupt)
    assert left_in(other_disk) == []
    left = other_disk / ".frames.part"  # by an export that was killed
    left.mkdir()
    (left / "000099.png").write_bytes(b"")
    made(reef, tmp_path / "frames", size=(64, 64), duration=0.1)
    assert left_in(other_disk) == [f"{number:06d}.png" for number in range(3)]
    assert left_in(tmp_path) == ["frames"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_pictures_need_no_permission_for_the_folder_around_theirs(
    reef: Path, tmp_path: Path
) -> None:
    (tmp_path / "frames").mkdir()
    tmp_path.chmod(0o500)
    try:
        made(reef, tmp_path / "frames", size=(64, 64), duration=0.1)
        assert len(left_in(tmp_path / "frames")) == 3
    finally:
        tmp_path.chmod(0o700)


# ---------------------------------------------------------------- sound, chapters, provenance


@pytest.fixture(scope="session")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """0.7 seconds of a loud tone."""
    path = tmp_path_factory.mktemp("music") / "tone.wav"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=22050)
        stream.layout = "mono"  # type: ignore[union-attr]
        wave = np.sin(np.arange(15435) * 2 * math.pi * 440 / 22050) * 20000
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = 22050
        file.mux(stream.encode(frame))  # type: ignore[union-attr]
        file.mux(stream.encode(None))  # type: ignore[union-attr]
    return path


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.webm"])
@pytest.mark.parametrize("seconds", [0.5, 2.0], ids=["cut", "looped"])
def test_music_has_the_films_length_and_fades(
    reef: Path, tmp_path: Path, tone: Path, name: str, seconds: float
) -> None:
    how: dict[str, Any] = {"duration": seconds, "size": (64, 64)}
    made(reef, tmp_path / name, audio=tone, audio_fade_in=0.1, audio_fade_out=0.2, **how)
    with av.open(str(tmp_path / name)) as film:
        sound = np.concatenate(
            [frame.to_ndarray().astype(float).reshape(2, -1)[0] for frame in film.decode(audio=0)]
        )
    assert abs(len(sound) / 48000 - seconds) < 0.05
    loud = np.sqrt(np.mean(sound[len(sound) // 2 - 2400 : len(sound) // 2 + 2400] ** 2))
    assert loud > 0.2
    for end in (sound[1100:1600], sound[-1500:]):
        assert np.sqrt(np.mean(end**2)) < 0.4 * loud
    assert len(times(tmp_path / name)) == round(seconds * 30)
    assert_second_decoder_is_content(tmp_path / name, round(seconds * 30))


def music(path: Path, rate: int, layout: str) -> bytes:
    """A second of a loud tone, as the name of ``path`` says."""
    with av.open(str(path), "w") as file:
        codec = "libmp3lame" if path.suffix == ".mp3" else "aac"
        stream = cast("AudioStream", file.add_stream(codec, rate=rate))
        stream.layout = layout
        wave = np.sin(np.arange(rate) * 2 * math.pi * 440 / rate).astype(np.float32) / 2
        frame = av.AudioFrame.from_ndarray(wave[None], "flt", "mono")
        frame.sample_rate = rate
        resampler = AudioResampler(stream.format, layout, rate, frame_size=stream.frame_size)
        for part in joined(resampler.resample(frame), resampler.resample(None), [None]):
            file.mux(stream.encode(part))
    return path.read_bytes()


@pytest.mark.parametrize("harm", ["joined", "damaged"])
def test_music_that_changes_or_has_a_damaged_stretch_is_heard_to_its_end(
    reef: Path, tmp_path: Path, harm: str
) -> None:
    path = tmp_path / "music.mp3"
    data = music(path, 44100, "stereo")
    if harm == "joined":
        data += music(path, 22050, "mono")
    else:
        data = data[:3000] + b"U" * 2000 + data[5000:]
    path.write_bytes(data)
    made(reef, tmp_path / "film.mp4", audio=path, duration=2.5, size=(64, 64))
    with av.open(str(tmp_path / "film.mp4")) as film:
        sound = sum(frame.samples for frame in film.decode(audio=0))
    assert abs(sound / 48000 - 2.5) < 0.05


def test_chapters_follow_the_prompts_in_either_direction(tmp_path: Path) -> None:
    folder = project(tmp_path / "p.zoom", prompt="a reef", keyframes=2)
    render(folder)
    steer(folder, prompt="a night", keyframes=4)
    render(folder)
    for direction, expected in (
        ("out", [("a reef", 0, 5), ("a night", 5, 16)]),
        ("in", [("a night", 0, 11), ("a reef", 11, 16)]),
    ):
        for name in ("film.mp4", "film.mkv"):
            made(folder, tmp_path / name, direction=direction, force=True)
            with av.open(str(tmp_path / name)) as film:
                found = [
                    (
                        chapter["metadata"]["title"],
                        round(chapter["start"] * chapter["time_base"] * 30),
                        round(chapter["end"] * chapter["time_base"] * 30),
                    )
                    for chapter in film.chapters()
                ]
            assert found == expected
            assert len(times(tmp_path / name)) == 16


def chapters(path: Path) -> list[str]:
    with av.open(str(path)) as film:
        return [str(chapter["metadata"]["title"]) for chapter in film.chapters()]


def test_sound_and_chapters_are_those_of_the_film_after_a_rewind(
    tmp_path: Path, tone: Path
) -> None:
    folder = project(tmp_path / "p.zoom", prompt="a reef", keyframes=7)
    with Project.open(folder) as opened:
        opened.steer({"prompt": "a night"}, 4)
    render(folder)
    with Project.open(folder) as opened:
        opened.mark(2, "the castle")
        opened.mark(5, "the gate")
    made(folder, tmp_path / "before.mp4", audio=tone)
    assert chapters(tmp_path / "before.mp4") == ["a reef", "the castle", "a night", "the gate"]
    with Project.open(folder) as opened:
        opened.rewind(rewound(opened.history, 4))
    made(folder, tmp_path / "after.mp4", audio=tone)
    assert chapters(tmp_path / "after.mp4") == ["a reef", "the castle"]
    with av.open(str(tmp_path / "after.mp4")) as film:
        sound = sum(frame.samples for frame in film.decode(audio=0))
    assert len(times(tmp_path / "after.mp4")) == 15
    assert abs(sound / 48000 - 0.5) < 0.05


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.mov", "film.webm"])
def test_the_file_says_how_it_was_made(reef: Path, tmp_path: Path, name: str) -> None:
    made(reef, tmp_path / name)
    with av.open(str(tmp_path / name)) as film:
        said = {key.lower(): value for key, value in film.metadata.items()}
    assert said["title"] == "a reef"
    assert json.loads(said["comment"])["settings"]["seed"] == 11


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_a_poster_is_the_frame_at_its_time(reef: Path, tmp_path: Path, name: str) -> None:
    made(reef, tmp_path / name, poster=0.5)
    with av.open(str(tmp_path / name)) as film:
        assert len(list(film.decode(video=0))) == 3 * FRAMES + 1
    with av.open(str(tmp_path / name)) as film:
        cover = plane_of(next(iter(film.decode(video=1))))
    assert psnr(cover / 255 * 219 + 16, lumas(reef / "film.mp4")[15]) > 20


# ------------------------------------------------------------------------ projects in progress


def test_a_project_that_is_being_rendered_is_exported_as_far_as_it_is(
    tmp_path: Path, world: PictureWorld
) -> None:
    folder = tmp_path / "p.zoom"
    chain(folder, world, keyframes=4)
    with Project.open(folder):  # an engine holds it
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        assert made(folder, tmp_path / "film.mp4").frames == 3 * FRAMES + 1
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_what_is_not_committed_of_a_film_is_not_exported(reef: Path, tmp_path: Path) -> None:
    folder = tmp_path / "p.zoom"
    shutil.copytree(reef, folder)
    with (folder / "film.mp4").open("ab") as film:
        film.write(os.urandom(5000))
    made(folder, tmp_path / "film.mp4")
    assert len(times(tmp_path / "film.mp4")) == 3 * FRAMES + 1


@pytest.mark.parametrize("asked", [{"direction": "in"}, {"loop": True}], ids=["in", "loop"])
def test_memory_does_not_grow_with_the_film(reef: Path, asked: dict[str, Any]) -> None:
    footage = read_footage(reef)
    peaks = []
    for times_as_long in (1, 1, 12):  # the first is for what is loaded once
        longer = replace(
            footage,
            canvases=footage.canvases * times_as_long,
            prompts=footage.prompts * times_as_long,
        )
        plan = make_plan(
            longer, Target.of("film.mkv"), ExportOptions(crf=30, fps=Fraction(5), **asked)
        )
        tracemalloc.start()
        for _ in plan.take.frames():
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] <= 1.05 * peaks[1]


# ----------------------------------------------------------------------------- side by side


def test_processes_side_by_side_make_the_same_bytes(
    reef: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {"seconds_per_keyframe": 1.0, "size": (160, 90)}
    made(reef, tmp_path / "one.mp4", **asked)
    monkeypatch.setattr(chunking, "_WORTH_IT", 0)
    made(reef, tmp_path / "many.mp4", **asked)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "many.mp4").read_bytes()


def test_results_come_in_order_and_nobody_stays_behind() -> None:
    assert list(in_order(abs, iter(range(-20, 0)), 2)) == list(range(20, 0, -1))
    working = in_order(abs, iter(range(1000)), 2)
    next(working)
    assert len(psutil.Process().children()) >= 2
    working.close()
    assert children_with("spawn_main") == []


def test_errors_of_a_process_are_raised_here_and_a_dead_one_is_named() -> None:
    with pytest.raises(SettingsError, match="bad 3"):
        apart(_refuse, 3)
    with pytest.raises(EncoderError, match="memory"):
        apart(os._exit, 1)


def _refuse(number: int) -> int:
    raise SettingsError(f"bad {number}")


# ------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("name", "asked", "error", "word"),
    [
        ("film.avi", {}, SettingsError, r"\.avi is no kind"),
        ("%q.png", {}, SettingsError, "%06d"),
        ("nowhere/film.mp4", {}, StorageError, "no folder"),
        ("film.webm", {"codec": "h264"}, SettingsError, "vp9 or av1"),
        ("film.mp4", {"codec": "h265x"}, SettingsError, "h265"),
        ("film.mp4", {"size": (321, 180)}, SettingsError, "322x180"),
        ("film.mp4", {"size": (640, 360)}, SettingsError, "--upscale lanczos"),
        ("film.mp4", {"crf": 99}, SettingsError, "crf"),
        ("film.mp4", {"poster": 99.0}, SettingsError, "beyond the end"),
        ("film.mov", {"poster": 0.0}, SettingsError, "poster"),
        ("film.gif", {"codec": "h264"}, SettingsError, "for films"),
        ("film.gif", {"audio": Path("x.wav")}, SettingsError, "sound"),
        ("film.mp4", {"audio": Path("/nowhere.wav")}, SettingsError, "no such file"),
        ("film.gif", {"duration": 3600.0}, SettingsError, r"GiB.*--force"),
    ],
)
def test_what_can_not_be_done_is_refused_and_leaves_nothing(
    reef: Path, tmp_path: Path, name: str, asked: dict[str, Any], error: Any, word: str
) -> None:
    with pytest.raises(error, match=word) as refused:
        made(reef, tmp_path / name, **asked)
    assert "\n" not in str(refused.value)
    assert left_in(tmp_path) == []


def test_a_file_that_is_there_is_kept_unless_forced(reef: Path, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("precious")
    with pytest.raises(SettingsError, match="--force"):
        made(reef, tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_text() == "precious"
    made(reef, tmp_path / "film.mp4", force=True)
    assert len(times(tmp_path / "film.mp4")) == 3 * FRAMES + 1


def test_larger_than_painted_is_made_where_it_is_wished_for(reef: Path, tmp_path: Path) -> None:
    plan = made(reef, tmp_path / "film.mp4", size=(640, 360), upscale="lanczos", duration=0.1)
    assert "soft" in plan.notes[0]
    assert lumas(tmp_path / "film.mp4")[0].shape == (360, 640)


@pytest.mark.parametrize("what", ["text", "silence", "damaged"])
def test_sound_that_is_none_is_refused(reef: Path, tmp_path: Path, what: str) -> None:
    sound = tmp_path / "music.wav"
    sound.write_bytes(b"no sound at all" * 50)
    if what == "damaged":  # all of it, but not what is said about it
        data = music(tmp_path / "music.m4a", 44100, "stereo")
        start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
        (tmp_path / "music.m4a").unlink()
        sound.write_bytes(data[:start] + b"U" * (end - start) + data[end:])
    if what == "silence":  # a film without any sound
        shutil.copy(reef / "film.mp4", sound)
    with pytest.raises(SettingsError, match=r"music\.wav"):
        made(reef, tmp_path / "film.mp4", audio=sound)
    assert left_in(tmp_path) == ["music.wav"]


def test_without_two_keyframes_there_is_nothing_to_export(
    tmp_path: Path, world: PictureWorld
) -> None:
    project(tmp_path / "p.zoom")
    with pytest.raises(ProjectError, match="resume"):
        made(tmp_path / "p.zoom", tmp_path / "film.mp4")
    with pytest.raises(ProjectError):
        made(tmp_path, tmp_path / "film.mp4")


@pytest.mark.parametrize("name", ["y:z.mp4", "http:z.mkv", "y:z.gif"])
def test_a_name_with_a_colon_is_a_name(
    reef: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    export(plan_export(reef, name, ExportOptions()), lambda done, frames: None)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_damaged_keyframe_is_named_and_nothing_is_left(reef: Path, tmp_path: Path) -> None:
    folder = tmp_path / "p.zoom"
    shutil.copytree(reef, folder)
    (folder / "keyframes" / "000002.png").write_bytes(b"broken")
    for name in ("film.mp4", "film.gif", "frames"):
        with pytest.raises(ProjectError, match="000002"):
            made(folder, tmp_path / name, direction="in")
    assert left_in(tmp_path) == ["p.zoom"]


def interrupt(done: int, total: int) -> None:
    raise KeyboardInterrupt


def test_whatever_stops_it_leaves_nothing_behind(reef: Path, tmp_path: Path) -> None:
    for name in ("film.mp4", "film.webp", "frames"):
        plan = plan_export(reef, str(tmp_path / name), ExportOptions(direction="in"))
        with pytest.raises(KeyboardInterrupt):
            export(plan, interrupt)
        assert left_in(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused(reef: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(RendererError, match="permission"):
            made(reef, tmp_path / "film.mp4")
    finally:
        tmp_path.chmod(0o700)
