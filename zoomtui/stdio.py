"""Lines to standard output and standard error, where the reader may have gone.

A reader that has gone (a closed pipe, a lost terminal, a full log disk) is no reason to end a
render, so what can't be written is dropped. Knows nothing of what the lines say.
"""

from __future__ import annotations

import io
import json
import os
from contextlib import suppress
from typing import Any, TextIO

OUT, ERR = 1, 2


def write_line(line: str, handle: int = OUT) -> None:
    """One line, in UTF-8; a lone surrogate is shown as its escape, which JSON reads back."""
    with suppress(OSError):
        _write(line, handle)


def write_json(value: Any) -> None:
    """One line of JSON, of many that come as a render goes on."""
    write_line(json.dumps(value, ensure_ascii=False))


def answer(line: str) -> None:
    """A line that was asked for. Raises OSError where it can't be written.

    A reader that has heard enough (``| head``) is no error.
    """
    try:
        _write(line, OUT)
    except BrokenPipeError:
        pass
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from None


def answer_json(value: Any) -> None:
    """The same in JSON."""
    answer(json.dumps(value, ensure_ascii=False))


def _write(line: str, handle: int) -> None:
    rest = (line + "\n").encode("utf-8", "backslashreplace")
    while rest:  # a signal may interrupt a write half-way
        rest = rest[os.write(handle, rest) :]


def report(error: str) -> None:
    """The one line that an error is worth, on standard error."""
    write_line(f"zoomtui: {error}", ERR)


def patient_stdout() -> TextIO:
    """Standard output as a text file that never fails: for rich, which writes from its thread."""
    return _Patient(
        open(OUT, "wb", closefd=False),
        encoding="utf-8",
        errors="backslashreplace",
        write_through=True,
    )


class _Patient(io.TextIOWrapper):
    def write(self, text: str) -> int:
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()
