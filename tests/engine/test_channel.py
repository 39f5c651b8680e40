"""The hand-off between the threads: order, backpressure, and both ways to end it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from renderer.engine.channel import Channel
from renderer.errors import Cancelled


def test_items_come_out_in_the_order_they_went_in() -> None:
    channel: Channel[int] = Channel(2)
    with ThreadPoolExecutor(1) as painter:
        painter.submit(lambda: [channel.put(number) for number in range(500)] and channel.finish())
        assert list(channel.items()) == list(range(500))


def test_never_more_than_its_capacity_wait() -> None:
    channel: Channel[int] = Channel(3)
    put: list[int] = []

    def fill() -> None:
        for number in range(50):
            channel.put(number)
            put.append(number)
        channel.finish()

    with ThreadPoolExecutor(1) as painter:
        painter.submit(fill)
        for taken in channel.items():
            assert len(channel) <= 3
            assert len(put) <= taken + 1 + 3


def test_what_waits_is_still_delivered_after_finish() -> None:
    channel: Channel[str] = Channel(2)
    channel.put("a")
    channel.put("b")
    channel.finish()
    assert list(channel.items()) == ["a", "b"]
    assert list(channel.items()) == []


def test_abort_wakes_a_producer_that_waits_and_drops_what_waited() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(1)
    waits = threading.Event()

    def put_one_too_many() -> None:
        waits.set()
        channel.put(2)

    with ThreadPoolExecutor(1) as painter:
        second = painter.submit(put_one_too_many)
        waits.wait()
        channel.abort()
        with pytest.raises(Cancelled):
            second.result()
    assert len(channel) == 0
    assert list(channel.items()) == []


def test_put_after_abort_is_cancelled_at_once() -> None:
    channel: Channel[int] = Channel(1)
    channel.abort()
    with pytest.raises(Cancelled):
        channel.put(1)


def test_finish_wakes_a_consumer_that_waits() -> None:
    channel: Channel[int] = Channel(1)
    with ThreadPoolExecutor(1) as film:
        taken = film.submit(lambda: list(channel.items()))
        channel.finish()
        assert taken.result() == []
