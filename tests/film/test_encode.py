"""Encoding: decoded back, every frame is the right one at the right time, whatever the segments."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from av.codec.context import CodecContext, OptionType
from numpy.typing import NDArray

from renderer.errors import Cancelled, EncoderError, RendererError, SettingsError
from renderer.film.encode import (
    EncodedSegment,
    Encoding,
    encode_segment,
    openable_encoders,
    probe,
)
from renderer.film.fragment import signature, split
from renderer.settings.codecs import CODECS, resolve
from tests.export.barcode import (
    decode,
    decode_with_ffmpeg,
    encoding,
    exact,
    frame,
    frames,
)

SOFTWARE = ["h264", "hevc", "av1", "vp9"]
LENGTHS = [30, 1, 2, 3, 5, 17, 1]
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="no ffmpeg on this machine")


def film_of(lengths: list[int], how: Encoding, path: Path, first: int = 0) -> list[EncodedSegment]:
    """Writes the film of segments of these lengths, and gives them."""
    segments: list[EncodedSegment] = []
    for index, length in enumerate(lengths):
        pictures = frames(first, length)
        segments.append(encode_segment(pictures, how, first_frame=first, index=index))
        first += length
    path.write_bytes(segments[0].init + b"".join(segment.media for segment in segments))
    return segments


@pytest.fixture(scope="module", params=SOFTWARE)
def film(request: pytest.FixtureRequest, tmp_path_factory: Any) -> tuple[str, Path, list[Any]]:
    """(codec, film, its segments)"""
    path = tmp_path_factory.mktemp(request.param) / "film.mp4"
    return request.param, path, film_of(LENGTHS, encoding(codec=request.param), path)


def test_every_frame_is_there_in_order_at_its_exact_time(film: Any) -> None:
    _, path, _ = film
    assert decode(path) == exact(0, sum(LENGTHS), Fraction(30))


@needs_ffmpeg
def test_another_decoder_sees_the_same_frames_without_a_complaint(film: Any) -> None:
    _, path, _ = film
    assert decode_with_ffmpeg(path) == list(range(sum(LENGTHS)))


def test_all_segments_share_one_header_however_short_they_are(film: Any) -> None:
    _, _, segments = film
    assert {segment.init for segment in segments} == {segments[0].init}
    assert [segment.frames for segment in segments] == LENGTHS


def test_each_segment_decodes_on_its_own(film: Any, tmp_path: Path) -> None:
    _, _, segments = film
    first = 0
    for segment in segments:
        alone = tmp_path / "alone.mp4"
        alone.write_bytes(segments[0].init + segment.media)
        assert decode(alone) == exact(first, segment.frames, Fraction(30))
        first += segment.frames


def test_a_segment_is_one_fragment_that_begins_with_its_only_keyframe(film: Any) -> None:
    _, path, segments = film
    assert all(segment.media.count(b"moof") == 1 for segment in segments)
    with av.open(str(path)) as container:
        keys = [packet.pts for packet in container.demux(video=0) if packet.is_keyframe]
    assert len(keys) == len(LENGTHS)


def test_colour_is_tagged_as_limited_range_bt709(film: Any) -> None:
    codec, path, _ = film
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert context.pix_fmt == "yuv420p"
        assert (context.color_range, context.colorspace) == (1, 1)
        assert (context.color_primaries, context.color_trc) == (1, 1)
        tags = {"h264": "avc1", "hevc": "hvc1", "av1": "av01", "vp9": "vp09"}
        assert context.codec_tag == tags[codec]


def test_the_same_frames_give_the_same_bytes_and_buffers_may_be_used_again(film: Any) -> None:
    codec, _, segments = film
    buffer = np.empty_like(frame(0))

    def reused() -> Iterator[NDArray[np.uint8]]:
        for number in range(LENGTHS[0]):
            buffer[:] = frame(number)
            yield buffer

    again = encode_segment(reused(), encoding(codec=codec), first_frame=0, index=0)
    assert again == segments[0]


REPEAT = """
import sys, zlib
import numpy as np
from tests.export.barcode import encoding
from renderer.film.encode import encode_segment
y, x = np.mgrid[0:288, 0:320]
waves = ((np.sin(x / 7) + np.cos(y / 9)) * 50 + 128).astype(np.uint8)
frames = [np.roll(waves, (shift, 2 * shift), (0, 1)) for shift in range(20)]
how = encoding(size=(320, 192), preset="medium", threads=int(sys.argv[1]))
for _ in range(2):
    segment = encode_segment(frames, how, first_frame=60, index=1)
    sys.stdout.write(f"{zlib.crc32(segment.media)}\\n")
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_h264_does_not_depend_on_what_memory_held_before(threads: int) -> None:
    """x264's AVX-512 code does; glibc's MALLOC_PERTURB_ fills new memory with other bytes."""
    outputs = set()
    for perturb in ("37", "200"):
        done = subprocess.run(
            [sys.executable, "-c", REPEAT, str(threads)],
            env=os.environ | {"MALLOC_PERTURB_": perturb},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs |= set(done.stdout.splitlines())
    assert len(outputs) == 1


@pytest.mark.parametrize(
    "fps", ["15/2", "24", "24000/1001", "25", "30", "30000/1001", "50", "60000/1001", "60", "120"]
)
def test_times_are_exact_at_every_frame_rate(fps: str, tmp_path: Path) -> None:
    rate = Fraction(fps)
    film_of([7, 1, 12], encoding(fps=rate, preset="veryfast"), tmp_path / "film.mp4")
    assert decode(tmp_path / "film.mp4") == exact(0, 20, rate)


@pytest.mark.parametrize("codec", SOFTWARE)
def test_times_go_on_after_2_to_the_31_ticks(codec: str, tmp_path: Path) -> None:
    """38.8 hours at 30 frames a second; the header of a later segment has another form."""
    how, first = encoding(codec=codec), 2**31 // 512 - 15
    segments = film_of([10, 10, 10], how, tmp_path / "film.mp4", first)
    assert decode(tmp_path / "film.mp4") == exact(first, 30, Fraction(30))
    assert segments[0].init != segments[2].init
    assert signature(segments[0].init) == signature(segments[2].init)


def test_times_are_exact_days_into_the_film(tmp_path: Path) -> None:
    film_of([20, 20], encoding(), tmp_path / "film.mp4", 4_200_000)
    assert decode(tmp_path / "film.mp4") == exact(4_200_000, 40, Fraction(30))


@pytest.mark.parametrize("options", [{"bf": "0"}, {"x264-params": "b-pyramid=none:bframes=3"}])
def test_short_segments_keep_time_however_frames_are_reordered(
    options: dict[str, str], tmp_path: Path
) -> None:
    how = encoding(preset="medium", encoder_options=options)
    segments = film_of([20, 1, 2, 3, 20], how, tmp_path / "film.mp4")
    assert decode(tmp_path / "film.mp4") == exact(0, 46, Fraction(30))
    assert len({segment.init for segment in segments}) == 1


def test_qp_0_is_lossless(tmp_path: Path) -> None:
    how = encoding(encoder_options={"qp": "0"})
    film_of([5], how, tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as container:
        for number, decoded in enumerate(container.decode(video=0)):
            assert np.array_equal(decoded.to_ndarray(), frame(number))


@pytest.mark.parametrize("size", [(98, 66), (96, 90), (100, 98), (854, 270)])
@pytest.mark.parametrize("layout", ["yuv420p", "nv12"])
def test_every_even_size_comes_through_whole(size: tuple[int, int], layout: str) -> None:
    how = encoding(size=size, encoder_options={"qp": "0"})
    how = replace(how, codec=replace(how.codec, pixel_format=layout))
    rng = np.random.default_rng(0)
    sent = rng.integers(16, 236, (size[1] * 3 // 2, size[0]), dtype=np.uint8)
    segment = encode_segment([sent], how, first_frame=0, index=0)
    with av.open(io.BytesIO(segment.init + segment.media)) as container:
        (got,) = (picture.to_ndarray(format="yuv420p") for picture in container.decode(video=0))
    assert np.array_equal(got, sent)


def test_other_sizes_have_another_signature() -> None:
    small = encode_segment(frames(0, 2), encoding(), first_frame=0, index=0)
    grey = np.full((64 * 3 // 2, 64), 128, np.uint8)
    large = encode_segment([grey], encoding(size=(64, 64)), first_frame=0, index=0)
    assert signature(small.init) != signature(large.init)


@pytest.mark.parametrize("after", [0, 1, 40])
def test_what_the_frames_raise_passes_through(after: int) -> None:
    def stopping() -> Iterator[NDArray[np.uint8]]:
        yield from frames(0, after)
        raise Cancelled

    with pytest.raises(Cancelled):
        encode_segment(stopping(), encoding(preset="medium"), first_frame=0, index=0)


def test_a_segment_without_frames_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        encode_segment([], encoding(), first_frame=0, index=0)


# settings


@pytest.mark.parametrize("codec", SOFTWARE)
def test_the_probe_accepts_every_software_default(codec: str) -> None:
    probe(encoding(codec=codec))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"codec": "h246"}, "did you mean 'h264'"),
        ({"codec": "mpeg2"}, "known: av1"),
        ({"preset": "fastt"}, "unknown preset 'fastt' of libx264; did you mean 'fast'"),
        ({"codec": "av1", "preset": "fast"}, "unknown preset 'fast' of libsvtav1"),
        ({"crf": 60}, "crf of libx264 must be 0 to 51, not 60"),
        ({"codec": "av1", "crf": 0}, "crf of libsvtav1 must be 1 to 63, not 0"),
        ({"crf": 3, "encoder_options": {"qp": "0"}}, "crf 3 and encoder option qp both"),
        ({"encoder_options": {"tune": "flim"}}, "did you mean 'film'"),
        ({"encoder_options": {"aq-mod": "1"}}, "did you mean 'aq-mode'"),
        ({"encoder_options": {"nonsense": "1"}}, "unknown encoder option nonsense of libx264"),
        ({"encoder_options": {"aq-mode": "varience"}}, "did you mean 'variance'"),
        ({"encoder_options": {"refs": "abc"}}, 'Unable to parse "refs" option value "abc"'),
        ({"encoder_options": {"x264-params": "nonsense=1"}}, "nonsense"),
        ({"codec": "hevc", "encoder_options": {"x265-params": "nonsense=1"}}, "nonsense"),
        ({"codec": "hevc", "encoder_options": {"x265-params": "rd=abc"}}, "Invalid value for rd"),
        ({"codec": "av1", "encoder_options": {"svtav1-params": "nonsense=1"}}, "nonsense"),
        ({"codec": "vp9", "encoder_options": {"tile-columns": "99"}}, "out of range"),
        ({"encoder_options": {"g": "30"}}, "every interval is one closed GOP"),
        ({"encoder_options": {"threads": "8"}}, "use the setting threads"),
        ({"encoder_options": {"sc_threshold": "40"}}, "closed GOP"),
        ({"encoder_options": {"color_range": "pc"}}, "BT.709"),
        ({"encoder_options": {"x264-params": "me=umh:keyint=30"}}, "x264-params: keyint=30"),
        ({"encoder_options": {"x264-params": "dump-yuv=/tmp/out"}}, "'dump-yuv'"),
        ({"encoder_options": {"x264-params": "cqm=/etc/passwd"}}, "'cqm'"),
        ({"encoder_options": {"x264-params": "log-file=out"}}, "'log-file'"),
        ({"encoder_options": {"passlogfile": "out"}}, "it names a file"),
        ({"codec": "hevc", "encoder_options": {"x265-params": "csv=out"}}, "'csv'"),
        ({"codec": "hevc", "encoder_options": {"x265-params": "recon=out"}}, "'recon'"),
        ({"codec": "av1", "encoder_options": {"svtav1-params": "fgs-table=in"}}, "'fgs-table'"),
        ({"codec": "hevc", "encoder_options": {"x265-stats": "out"}}, "it names a file"),
        ({"codec": "h264_qsv", "encoder_options": {"qsv_params": "a=b"}}, "takes anything"),
        ({"codec": "vp9", "encoder_options": {"ts-parameters": "a=b"}}, "may name a file"),
        ({"encoder_options": {"dump_separator": "out"}}, "may name a file"),
        ({"encoder_options": {"x264-params": "stitchable=0"}}, "stitchable=0 can't be used"),
        ({"encoder_options": {"x264-params": "sliced_threads=1"}}, "sliced_threads=1"),
        ({"codec": "hevc", "encoder_options": {"x265-params": "open-gop=1"}}, "open-gop=1"),
    ],
)
def test_settings_that_can_not_be_used_are_named(settings: dict[str, Any], message: str) -> None:
    for _ in range(2):  # libav does not repeat itself unless asked to
        with pytest.raises(SettingsError) as caught:
            probe(encoding(**settings))
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("codec", SOFTWARE)
def test_no_option_that_takes_any_text_makes_a_file(codec: str, tmp_path: Path) -> None:
    supported = CodecContext.create(resolve(codec).encoder, "w").supported_options
    texts = (OptionType.STRING, OptionType.DICT, OptionType.BINARY)
    options = [each for each in (*supported.generic, *supported.private) if each.type in texts]
    assert options
    with contextlib.chdir(tmp_path):
        for option in options:
            with contextlib.suppress(SettingsError):
                probe(encoding(codec=codec, encoder_options={option.name: "file"}))
                assert option.name in {"psy-rd", "deblock", "partitions", "wpredp"}
    assert list(tmp_path.iterdir()) == []


def test_options_of_the_user_reach_the_encoder_beside_the_pinned_ones() -> None:
    plain = encode_segment(frames(0, 20), encoding(preset="medium"), first_frame=0, index=0)
    options = {"x264-params": "stitchable=1:me=dia:no-deblock=1", "refs": "1"}
    how = encoding(preset="medium", encoder_options=options)
    probe(how)
    changed = encode_segment(frames(0, 20), how, first_frame=0, index=0)
    assert b"me=dia" in changed.media
    assert b"ref=1" in changed.media
    assert b"stitchable=1" in changed.media
    assert b"me=hex" in plain.media


def test_an_encoder_that_can_not_be_opened_here_says_why() -> None:
    reasons = openable_encoders()
    assert set(reasons) == {codec.encoder for codec in CODECS}
    assert [reasons[resolve(name).encoder] for name in SOFTWARE] == ["ok"] * 4
    for name, reason in reasons.items():
        assert reason
        assert "\n" not in reason
        if reason != "ok":
            with pytest.raises(RendererError) as caught:
                probe(encoding(codec=name))
            assert isinstance(caught.value, EncoderError)
            assert name in str(caught.value)


def test_nothing_is_written_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    for codec in SOFTWARE:
        probe(encoding(codec=codec))
    openable_encoders()
    assert capfd.readouterr() == ("", "")


def footprint() -> tuple[float, int, int]:
    """(resident MiB, threads, open files)"""
    me = psutil.Process()
    return me.memory_info().rss / 2**20, me.num_threads(), me.num_fds()


def assert_no_growth(codec: str, cycles: int) -> None:
    how = encoding(codec=codec, preset=resolve(codec).presets[0 if codec in "h264 hevc" else -1])
    pictures = list(frames(0, 10))
    for index in range(cycles + 30):
        if index == 30:
            before = footprint()
        encode_segment(pictures, how, first_frame=index * 10, index=index)
    after = footprint()
    assert after[0] - before[0] < 4
    assert after[1:] == before[1:]


def test_taking_a_segment_apart_copies_it_once() -> None:
    header, body = (8).to_bytes(4, "big") + b"moov", 8 << 20
    film = header + (8).to_bytes(4, "big") + b"moof"
    film += body.to_bytes(4, "big") + b"mdat" + bytes(body - 8)
    tracemalloc.start()
    try:
        init, media = split(film)
        assert tracemalloc.get_traced_memory()[1] < 1.5 * body
    finally:
        tracemalloc.stop()
    assert (init, media) == (header, film[8:])


@pytest.mark.slow
def test_300_segments_leave_nothing_behind() -> None:
    assert_no_growth("h264", 300)


@pytest.mark.soak
@pytest.mark.parametrize("codec", SOFTWARE)
def test_a_thousand_segments_leave_nothing_behind(codec: str) -> None:
    assert_no_growth(codec, 1000)
