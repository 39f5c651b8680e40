"""Renders on many machines: a worker on each GPU of a Ray cluster, all for one queue.

``cluster``, ``queue_actor`` and ``workers`` know Ray, and are imported once there is a line to a
cluster; ``worker`` and ``relay`` know nothing of it.
"""

import os
from pathlib import Path

from renderer.errors import SettingsError

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
        raise SettingsError("a farm needs Ray: pip install 'zoomtui[farm]'") from None
    cluster.connect(address)


def _prepare(address: str) -> None:
    """Set what Ray reads as it is loaded.

    Without a token, anyone who reaches a cluster can run code on it; one that is begun here gets
    one, which Ray keeps in the user's home.
    """
    has_token = any(map(os.environ.get, _TOKENS)) or Path("~/.ray/auth_token").expanduser().exists()
    if address == "local" or has_token:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")  # of 40 s, where nothing answers
