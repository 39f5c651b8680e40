"""Line charts in SVG: every value inside, spikes kept, gaps left open, foreign text as text."""

from __future__ import annotations

import math
import random
from xml.etree import ElementTree

import pytest

from renderer.project.series import CURVES, Happening, Series
from zoomtui.viewing.axis import Span, spans, tick_text, ticks, value_text
from zoomtui.viewing.charts import HEIGHT, STYLE, WIDTH, chart

NAN = math.nan


def series(*values: float, happenings: tuple[Happening, ...] = ()) -> Series:
    return Series({"seam": values}, [100.0 + each for each in range(len(values))], happenings)


def drawn(told: Series, name: str = "seam") -> ElementTree.Element:
    """The chart as XML, its namespace taken away."""
    root = ElementTree.fromstring(chart(told, name))
    for element in root.iter():
        element.tag = element.tag.partition("}")[2]
    return root


def points(element: ElementTree.Element) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in element.attrib["points"].split()]
    return [(float(x), float(y)) for x, y in pairs]


# --------------------------------------------------------------------------------------- the axis


def test_spans_keep_the_lowest_and_the_highest() -> None:
    column = [1.0] * 1000
    column[777] = 50.0
    found = spans(column, 0, 1000, 10)
    assert found[7] == Span(1.0, pytest.approx(1.49), 50.0)
    assert found[6] == Span(1.0, 1.0, 1.0)


def test_spans_leave_gaps_and_cover_all() -> None:
    assert spans([NAN, 2.0, NAN], 0, 3, 10) == [None, Span(2, 2, 2), None]
    assert spans([NAN, 2.0], 0, 2, 1) == [Span(2, 2, 2)]
    assert spans([], 0, 0, 10) == []
    rng = random.Random(5)
    column = [rng.random() for _ in range(997)]
    found = [each for each in spans(column, 3, 900, 61) if each]
    assert len(found) == 61
    assert max(each.high for each in found) == max(column[3:900])


@pytest.mark.parametrize("high", [0.0, 1e-12, 0.004, 0.9, 1.0, 7.3, 99.0, 100.0, 3e14])
@pytest.mark.parametrize("low", [0.0, -0.5, -3e14])
def test_ticks_are_round_and_hold_everything(low: float, high: float) -> None:
    found = ticks([Span(low, low, high), None])
    assert found == sorted(set(found))
    assert found[0] <= low
    assert found[-1] >= high
    assert 2 <= len(found) <= 6
    assert 0 in found


def test_numbers_have_the_digits_that_are_worth_reading() -> None:
    texts = [value_text(1.2345, ""), value_text(12.345, "s"), value_text(1234.5, "/255")]
    assert texts == ["1.23", "12.3 s", "1,234/255"]
    assert value_text(3e14, "s") == "3.0e+14 s"
    assert [tick_text(each) for each in (0.5, 0.0, 1500.0, 0.30000000000000004)] == [
        "0.5", "0", "1,500", "0.3",
    ]  # fmt: skip


# -------------------------------------------------------------------------------------- the chart


def test_a_spike_among_many_is_drawn() -> None:
    values = [1.0] * 20_000
    values[12_345] = 9.0
    root = drawn(series(*values))
    band = next(each for each in root.iter("polygon"))
    highest = min(points(band), key=lambda point: point[1])
    assert highest[0] == pytest.approx(44 + 348 * 12_345 / 20_000, abs=3)
    mean = next(each for each in root.iter("polyline"))
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in [*points(band), *points(mean)])


def test_a_gap_is_left_open_and_a_lone_value_is_a_dot() -> None:
    root = drawn(series(1.0, 2.0, NAN, 3.0, NAN, 1.0, 1.5))
    assert [len(points(each)) for each in root.iter("polyline")] == [2, 2]
    assert len(list(root.iter("circle"))) == 1


@pytest.mark.parametrize("values", [(1.0,), (NAN,), (0.0, 0.0)])
def test_there_may_be_hardly_anything(values: tuple[float, ...]) -> None:
    texts = [each.text for each in drawn(series(*values)).iter("text")]
    assert CURVES["seam"].title in texts
    assert "1" in texts


def test_marks_have_a_shape_and_foreign_text_stays_text() -> None:
    prompt = "<script>alert(1)</script> & ]]> \"'\x1b[31m\x00\ufffe\udcff"
    happenings = (
        Happening(1, "steered", changes={"prompt": prompt}),
        Happening(4, "restarted"),
        Happening(8, "note", note="</title><b>"),
    )
    root = drawn(series(*[1.0] * 10, happenings=happenings))
    marks = list(root.iter("g"))
    assert [each.attrib["class"] for each in marks] == [
        "mark steered", "mark restarted", "mark note",
    ]  # fmt: skip
    titles = [each.text or "" for each in root.iter("title")]
    assert titles[0].startswith("2: <script>alert(1)</script> & ]]> \"'\\x1b[31m\\x00")
    assert titles[2] == "9: note: </title><b>"
    assert not list(root.iter("script"))


def test_marks_that_are_close_are_one() -> None:
    happenings = tuple(
        Happening(each, "restarted" if each == 5000 else "steered", changes={"steps": each})
        for each in range(10_000)
    )
    root = drawn(series(*[1.0] * 10_000, happenings=happenings))
    marks = list(root.iter("g"))
    assert len(marks) <= 72
    assert [each.attrib["class"] for each in marks].count("mark restarted") == 1
    assert "more" in (next(root.iter("title")).text or "")


def test_the_page_may_have_the_style() -> None:
    assert STYLE in chart(series(1.0, 2.0), "seam")
    assert "<style" not in chart(series(1.0, 2.0), "seam", alone=False)
