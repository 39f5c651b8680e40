"""The render's log file. Light: the parent of an engine writes there as well as the engine."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from renderer.files import open_to_append, storage_errors


class _LogFile(logging.FileHandler):
    """Loses what it can't write: a full disk is reported once, by the render's own error."""

    def _open(self) -> TextIOWrapper:
        return os.fdopen(open_to_append(Path(self.baseFilename)), "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Everything that is logged here, and Python's warnings, goes to ``path`` and nowhere else.

    Raises StorageError where it can't be opened.
    """
    handler = _opened(path)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


def log_line(path: Path, logger: str, text: str) -> None:
    """One line to ``path`` alone, as from the logger of that name. Raises StorageError."""
    record = logging.LogRecord(logger, logging.WARNING, __file__, 0, text, None, None)
    handler = _opened(path)
    handler.handle(record)
    handler.close()


def _opened(path: Path) -> _LogFile:
    with storage_errors(path):
        handler = _LogFile(path, encoding="utf-8")
    formatter = logging.Formatter(
        "%(asctime)sZ %(levelname)-7s %(threadName)s %(name)s: %(message)s"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    return handler
