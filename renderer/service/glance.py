"""One short look at what an engine says of itself, without the machinery of a client that stays."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from renderer.engine.state import RenderState
from renderer.errors import RendererError
from renderer.project import registry
from renderer.service.protocol import LONGEST_SNAPSHOT, PROTOCOL

SECONDS = 0.5
"""That an engine may take for each part of its answer."""


def glance(folder: Path, seconds: float = SECONDS) -> RenderState | None:
    """The state of the engine that renders ``folder``; None: no usable answer came in time."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds)
            line.connect(str(registry.socket_path(folder)))
            with line.makefile("rb") as answers:
                said = json.loads(answers.readline(LONGEST_SNAPSHOT))
        return RenderState.from_json(said["state"]) if said["protocol"] == PROTOCOL else None
    except (RendererError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
