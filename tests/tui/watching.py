"""A watch on a real engine, as the monitor keeps one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from zoomtui.viewing.watcher import Watch


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[Watch]:
    watch = Watch(folder)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
