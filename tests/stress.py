"""The tests again and again, alone and beside busy loops: do they pass every time?

``python tests/stress.py [--alone N] [--busy N]`` runs `make test` that often, keeps the output of
each run in the folder ``stress/``, and prints a line a run: how long it took and what failed. Its
exit code is the number of runs that failed. Not a test.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

LOGS = Path("stress")
LOOPS_A_CORE = 2


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many processes that take what they can get of the processor."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(loops)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def run(name: str) -> bool:
    """One run of all tests; whether it passed."""
    log, began = LOGS / f"{name}.log", time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            ["make", "test"], stdout=output, stderr=subprocess.STDOUT, check=False
        )
    minutes = (time.monotonic() - began) / 60
    text = log.read_text(encoding="utf-8", errors="replace")
    counts = re.findall(r"^=* ?(\d+ \w+.*) in [\d.]+s", text, re.MULTILINE) or ["ended early"]
    print(f"{name}  {minutes:5.1f} min  {counts[-1]}", flush=True)
    for line in re.findall(r"^(?:FAILED|ERROR) .*", text, re.MULTILINE):
        print(f"    {line[:200]}", flush=True)
    return done.returncode == 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--alone", type=int, default=10, help="runs with nothing beside them")
    options.add_argument("--busy", type=int, default=5, help="runs beside two busy loops a core")
    asked = options.parse_args()
    LOGS.mkdir(exist_ok=True)
    failed = sum(not run(f"alone-{number:02d}") for number in range(1, asked.alone + 1))
    with busy(LOOPS_A_CORE * (os.cpu_count() or 1)) if asked.busy else contextlib.nullcontext():
        failed += sum(not run(f"busy-{number:02d}") for number in range(1, asked.busy + 1))
    return failed


if __name__ == "__main__":
    sys.exit(main())
