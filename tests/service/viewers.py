"""A connection to an engine, spoken by hand."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from renderer.project import registry
from renderer.service.protocol import LONGEST_LINE


class Viewer:
    """One connection, spoken by hand."""

    def __init__(self, connection: socket.socket, lines: BinaryIO) -> None:
        self._connection = connection
        self._lines = lines

    def say(self, data: bytes) -> None:
        self._connection.sendall(data)

    def hear(self, kind: str) -> dict[str, Any]:
        """The next message of that kind; what comes before it is dropped."""
        for line in self._lines:
            message: dict[str, Any] = json.loads(line)
            if message["type"] == kind:
                return message
        raise EOFError(kind)

    def ask(self, data: bytes) -> dict[str, Any]:
        self.say(data + b"\n")
        return self.hear("reply")

    def ask_without_end(self) -> None:
        """Until the other side has had enough."""
        self.say(b"x" * (LONGEST_LINE + 65536))
        self.hear("nothing of the kind")


@contextmanager
def viewer(folder: Path) -> Iterator[Viewer]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(os.fspath(registry.socket_path(folder)))
        with connection.makefile("rb") as lines:
            yield Viewer(connection, lines)
