"""Renders on many machines: a worker on each GPU of a Ray cluster, all for one queue.

``worker`` and ``relay`` know nothing of Ray; only ``cluster`` does.
"""

import os
from pathlib import Path

_TOKENS = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


def prepare(address: str) -> None:
    """Set what Ray reads as it is loaded: before ``cluster`` is. ``address``: see ``connect``.

    Without a token, anyone who reaches a cluster can run code on it; one that is begun here gets
    one, which Ray keeps in the user's home.
    """
    has_token = any(map(os.environ.get, _TOKENS)) or Path("~/.ray/auth_token").expanduser().exists()
    if address == "local" or has_token:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")  # of 40 s, where nothing answers
