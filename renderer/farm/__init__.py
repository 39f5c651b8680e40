"""Renders on many machines: a worker on each GPU of a Ray cluster, all for one queue.

``cluster``, ``queue_actor`` and ``workers`` know Ray, and are imported once there is a line to a
cluster; ``worker`` and ``relay`` know nothing of it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from renderer.errors import SettingsError
from renderer.files import user_path

if TYPE_CHECKING:
    from renderer.painting.painters import Painter, PainterFactory
    from renderer.settings.render import RenderSettings

PAINTS = "ZOOMTUI_FARM"
"""Names a cluster, in the environment of an engine whose keyframes are painted there."""
NEEDS_RAY = "a farm needs Ray: pip install 'zoomtui[farm]'"
_TOKENS = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


def connect(address: str) -> None:
    """To the cluster at ``address``: HOST:PORT, ``auto`` for the one that runs on this machine, or
    ``local`` for one that is begun here and ends with this process.

    Raises SettingsError where there is none, it is open to others, or Ray is not installed.
    """
    _prepare(address)
    try:
        from renderer.farm import cluster
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise SettingsError(NEEDS_RAY) from None
    cluster.connect(address)


def painters(folder: Path) -> PainterFactory:
    """What makes painters for the project at ``folder``: with ``PAINTS`` set, such as have others
    paint on the cluster that it names; see ``candidates``."""
    if not (address := os.environ.get(PAINTS)):
        from renderer.painting.upscale import make_painter

        return make_painter

    def make(settings: RenderSettings) -> Painter:
        connect(address)
        from renderer.farm.candidates import Spread

        return Spread(settings, folder.resolve())

    return make


def _prepare(address: str) -> None:
    """Set what Ray reads as it is loaded.

    Without a token, anyone who reaches a cluster can run code on it; one that is begun here gets
    one, which Ray keeps in the user's home.
    """
    has_token = any(map(os.environ.get, _TOKENS)) or user_path("~/.ray/auth_token").exists()
    if address == "local" or has_token:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # It prints to stdout, among a verb's own lines, that a node has died: the verb says what of it.
    os.environ["RAY_DEDUP_LOGS_SKIP_REGEX"] = "."
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")  # of 40 s, where nothing answers
