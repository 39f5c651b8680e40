"""What a viewer of the control socket may ask of a session, and the reply to it.

Knows the commands; nothing of sockets, and nothing of painting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from renderer.engine.session import Session
from renderer.errors import RendererError
from renderer.project.history import Placed
from renderer.service.viewer import Viewer, reply


class Commands:
    """What a viewer may ask: ``pause``, ``unpause``, ``stop``, ``steer`` (with ``changes``: plain
    settings by name), ``undo`` (takes back steering that no keyframe has begun with), ``mark``
    (with ``keyframe`` and ``note``), ``place`` (with the ``Placed`` of a picture that was put
    into the project), ``rewind``
    (with ``keyframe``, from 0: it and all after it are taken back), ``reroll`` (the same, painted
    differently, with ``changes``), ``choose`` (with ``keyframe`` and ``take``), ``undo-rewind``
    (takes the last of these back; all four are done a moment after the reply), ``prune``
    (deletes the takes that are not in the film), ``preview``
    (its reply holds one, and comes when there is one), ``watch`` (the client counts as a viewer
    from now on: others see it, and the meters run for it).
    """

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
                self._session.steer(_changes(asked))
            case "undo":
                self._session.undo()
            case "mark":
                self._session.mark(_number(asked, "keyframe"), _text(asked, "note"))
            case "place":
                numbers = (_number(asked, name) for name in ("keyframe", "length", "crc"))
                self._session.place(Placed(*numbers))
            case "rewind":
                self._session.revisions.rewind(_number(asked, "keyframe"))
            case "reroll":
                self._session.revisions.reroll(_number(asked, "keyframe"), _changes(asked))
            case "choose":
                self._session.revisions.choose(_number(asked, "keyframe"), _number(asked, "take"))
            case "undo-rewind":
                self._session.revisions.undo()
            case "prune":
                self._session.revisions.prune()
            case other:
                raise ValueError(f"unknown command {other!r}")


def _changes(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    changes = asked.get("changes")
    if not isinstance(changes, dict):
        raise ValueError(f"{asked['command']} needs changes: settings by name")
    return changes


def _text(asked: Mapping[str, Any], name: str) -> str:
    text = asked.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{asked['command']} needs {name}: text")
    return text


def _number(asked: Mapping[str, Any], name: str) -> int:
    number = asked.get(name)
    if not isinstance(number, int) or isinstance(number, bool):
        raise ValueError(f"{asked['command']} needs {name}: a number")
    return number
