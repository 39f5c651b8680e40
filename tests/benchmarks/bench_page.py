"""What fifty browsers cost a render: its film rate with them ÷ without, and what the page's server
takes itself.

The same render by turns, watched by none and by fifty that each follow the news and load every
segment of the film, in a process of its own on the same cores (nice 19: a browser is elsewhere).
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import psutil

from renderer.journal import read_journal
from renderer.project.history import History
from renderer.project.records import JOURNAL
from renderer.project.status import State, read_status
from tests.cli.engines import engine, make_project, until
from tests.web.serving import address, serving

BROWSERS = 50
ROUNDS = 3
KEYFRAMES, FRAMES = 24, 60
WARM_UP = 4
"""Keyframes that are left out."""


async def browse(port: int, token: str, page: str) -> None:
    """Fifty browsers, until the film has its end; prints the bytes that they have loaded."""
    loaded = await asyncio.gather(*(one_browser(port, token, page) for _ in range(BROWSERS)))
    print(sum(loaded))


async def one_browser(port: int, token: str, page: str) -> int:
    following = asyncio.create_task(follow(port, token, f"{page}/events"))
    known, loaded = 0, 0
    while True:
        moved, _ = await get(port, token, f"{page}/watch.m3u8")
        if found := re.search(rb"location: (\S+)", moved):
            base = f"{page}/{found[1].decode()}"
            _, playlist = await get(port, token, base)
            ranges = re.findall(rb"BYTERANGE:(\d+)@(\d+)", playlist)
            for length, offset in ranges[known:]:
                part = f"Range: bytes={int(offset)}-{int(offset) + int(length) - 1}\r\n"
                _, data = await get(port, token, base.replace("watch.m3u8", "film.mp4"), part)
                loaded += len(data)
            known = len(ranges)
            if b"ENDLIST" in playlist:
                break
        await asyncio.sleep(1)  # as long as a player waits between two looks at a playlist
    following.cancel()
    return loaded


async def get(port: int, token: str, path: str, more: str = "") -> tuple[bytes, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(path, token, f"Connection: close\r\n{more}"))
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.read()
    writer.close()
    return head, body


async def follow(port: int, token: str, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(path, token))
    while await reader.read(65536):
        pass


def request(path: str, token: str, more: str = "") -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}{more}\r\n".encode()


def measured(folder: Path, *, watched: bool) -> tuple[float, float, float]:
    """(frames a second, share of a core that the server took, MiB/s that it sent)."""
    with serving(folder, cwd=folder.parent) as server:
        crowd = None
        if watched:
            command = [sys.executable, "-m", "tests.benchmarks.bench_page"]
            told = [str(server.port), server.token, address(folder)]
            crowd = subprocess.Popen([*command, *told], stdout=subprocess.PIPE)
        process = psutil.Process(server.process.pid)
        before = sum(process.cpu_times()[:2])
        with engine(folder):
            until(lambda: read_status(folder).state is State.FINISHED, "finished")
        taken = sum(process.cpu_times()[:2]) - before
        loaded = int(crowd.communicate()[0]) if crowd else 0
    stored = History(read_journal(folder / JOURNAL)).keyframes
    seconds = stored[-1].at - stored[WARM_UP].at
    whole = stored[-1].at - stored[0].at
    rate = (len(stored) - 1 - WARM_UP) * FRAMES / seconds
    return rate, taken / whole, loaded / whole / (1 << 20)


def main() -> None:
    if len(sys.argv) > 1:
        os.nice(19)
        asyncio.run(browse(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
        return
    for painter, seconds in (("gradient", 0), ("tests.benchmarks.bench_interface:Paced", 1)):
        compare(painter, seconds)


def compare(painter: str, seconds: int) -> None:
    """Print the ratio for that painter, which takes so long a keyframe, and its own time."""
    print(f"{painter}, {seconds} s a keyframe")
    ratios = []
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = home
        for turn in range(ROUNDS):
            found = {}
            for watched in (False, True):
                folder = make_project(
                    Path(home) / f"{turn}-{watched}.zoom",
                    painter,
                    seconds,
                    keyframes=KEYFRAMES,
                    keyframe_size="640x360",
                    size="640x360",
                    frames_per_keyframe=FRAMES,
                    preset="veryfast",
                )
                found[watched] = measured(folder, watched=watched)
            (alone, _, _), (rate, share, sent) = found[False], found[True]
            ratios.append(rate / alone)
            print(
                f"film rate {alone:.0f} frames/s, with {BROWSERS} browsers {rate:.0f}: "
                f"{rate / alone:.3f}; server {100 * share:.0f} % of a core, {sent:.1f} MiB/s",
                flush=True,
            )
    print(f"film rate with {BROWSERS} browsers ÷ without: {median(ratios):.3f} (median)")


if __name__ == "__main__":
    main()
