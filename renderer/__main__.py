"""`python -m renderer PROJECT`: the engine alone, one JSON event a line on standard output.

With --ready-fd it is the engine of an interface that starts it, waits for one line on that file
descriptor ("ready", or why not), and lets go: then nothing is printed, viewers use the socket.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path

from renderer.errors import RendererError
from renderer.events import Event, to_json
from renderer.files import fill_standard_handles


def main() -> int:
    fill_standard_handles()
    parser = argparse.ArgumentParser(
        prog="python -m renderer",
        description="Render the project at PROJECT; one JSON event a line on standard output.",
        epilog="Exit codes: see renderer/errors.py; 130 and 143: stopped by SIGINT, SIGTERM.",
    )
    parser.add_argument("project", metavar="PROJECT", type=Path)
    parser.add_argument("--ready-fd", metavar="N", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    try:
        from renderer.engine import foreground  # after --help, which needs no encoder

        if asked.ready_fd is None:
            return foreground.run(asked.project, write_json)
        return foreground.run(
            asked.project, write_nothing, on_open=lambda: tell(asked.ready_fd, "ready")
        )
    except KeyboardInterrupt:  # before there was anything to stop
        return 130
    except foreground.Abandoned as abandoned:
        os._exit(abandoned.exit_code)
    except RendererError as error:
        if asked.ready_fd is not None:
            tell(asked.ready_fd, str(error))
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def tell(handle: int, line: str) -> None:
    """One line to whoever started this engine, who may have gone."""
    with contextlib.suppress(OSError):
        os.write(handle, f"{line}\n".encode())
        os.close(handle)


def write_nothing(event: Event) -> None:
    """For an engine that is watched through its socket alone."""


def write_json(event: Event) -> None:
    """One line; a reader that has gone away is no reason to end a render."""
    try:
        sys.stdout.write(json.dumps(to_json(event)) + "\n")
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


if __name__ == "__main__":
    sys.exit(main())
