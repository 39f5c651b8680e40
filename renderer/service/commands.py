"""What a viewer of the control socket may ask of a session, and the reply to it.

Knows the commands; nothing of sockets, and nothing of painting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from renderer.engine.session import Session
from renderer.errors import RendererError
from renderer.project.history import Placed
from renderer.service.viewer import Viewer, reply


class Commands:
    """For one session; docs/protocol.md says what each command does, and its details."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def answer(self, line: bytes, viewer: Viewer) -> bytes | None:
        """The reply to one line of ``viewer``; None: it comes later.

        Never raises: the reply to a bad line says what is wrong with it.
        """
        number = None
        try:
            asked = json.loads(line)
            if not isinstance(asked, dict):
                raise ValueError("a command is a JSON object")
            number = asked.get("id")
            if asked.get("command") == "preview":
                viewer.look(number)
                self._session.preview_requests.ask()
                return None
            if asked.get("command") == "watch":
                viewer.watching = True
            else:
                self._obey(asked)
        except (ValueError, RecursionError, RendererError) as error:
            return reply(number, str(error))
        return reply(number, None)

    def _obey(self, asked: Mapping[str, Any]) -> None:
        match asked.get("command"):
            case "pause":
                self._session.pause(True)
            case "unpause":
                self._session.pause(False)
            case "stop":
                self._session.stop(now=asked.get("now") is True)
            case "steer":
                self._session.steer(*_details(asked, "changes"))
            case "undo":
                self._session.undo()
            case "mark":
                self._session.mark(*_details(asked, "keyframe", "note"))
            case "place":
                self._session.place(Placed(*_details(asked, "keyframe", "length", "crc")))
            case "rewind":
                self._session.revisions.rewind(*_details(asked, "keyframe"))
            case "reroll":
                self._session.revisions.reroll(*_details(asked, "keyframe", "changes"))
            case "choose":
                self._session.revisions.choose(*_details(asked, "keyframe", "take"))
            case "undo-rewind":
                self._session.revisions.undo()
            case "prune":
                self._session.revisions.prune()
            case other:
                raise ValueError(f"unknown command {other!r}")


_KINDS = {"changes": (dict, "settings by name"), "note": (str, "text")}
"""What the details of commands are; all others are numbers."""


def _details(asked: Mapping[str, Any], *names: str) -> Iterator[Any]:
    for name in names:
        detail, (kind, words) = asked.get(name), _KINDS.get(name, (int, "a number"))
        if not isinstance(detail, kind) or isinstance(detail, bool):
            raise ValueError(f"{asked['command']} needs {name}: {words}")
        yield detail
