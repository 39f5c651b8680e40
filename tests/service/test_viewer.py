"""What waits for a viewer that does not read: events give way to a snapshot, replies never do."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

from renderer.service.viewer import Viewer, reply, to_line

ASKED = 200


class Pipe:
    """A connection that no viewer reads from until it is opened."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.open = asyncio.Event()

    def write(self, line: bytes) -> None:
        self.said.append(json.loads(line))

    async def drain(self) -> None:
        await self.open.wait()


def test_a_flood_of_events_takes_no_reply_with_it() -> None:
    async def flood() -> list[dict[str, Any]]:
        pipe, snapshots = Pipe(), 0

        def snapshot() -> bytes:
            nonlocal snapshots
            snapshots += 1
            return to_line({"type": "snapshot"})

        viewer = Viewer(cast("asyncio.StreamWriter", pipe), snapshot)
        sending = asyncio.create_task(viewer.send())
        for number in range(ASKED):
            viewer.answer(reply(number, None))
            for _ in range(30):
                viewer.tell(to_line({"type": "event"}))
            await asyncio.sleep(0)
        answered = asyncio.create_task(viewer.answered())
        await asyncio.sleep(0)
        assert not answered.done()
        assert 10 < snapshots < ASKED
        pipe.open.set()
        await answered
        sending.cancel()
        return pipe.said

    said = asyncio.run(flood())
    assert [each["id"] for each in said if each["type"] == "reply"] == list(range(ASKED))
