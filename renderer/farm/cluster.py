"""The Ray cluster that this process is a driver of. Knows nothing of what is done there."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import AuthenticationError, RayError

from renderer import __version__
from renderer.errors import SettingsError
from renderer.machine import is_loopback

_PATIENCE = 10.0
"""Seconds."""
_UNSAFE = (
    "the Ray cluster at {address} lets anyone who reaches it run code: start Ray on every machine "
    "with RAY_AUTH_MODE=token, and the token that `ray get-auth-token --generate` makes"
)


def connect(address: str) -> None:
    """See the package's own ``connect``."""
    if ray.is_initialized():
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        quiet["include_dashboard"] = False
    try:
        _knock(address)
        ray.init(address, namespace="zoomtui", **quiet)
    except AuthenticationError:
        raise SettingsError(_UNSAFE.format(address=address)) from None
    except (OSError, RuntimeError, ValueError, RayError) as error:
        why = getattr(error, "strerror", None) or one_line(error)
        raise SettingsError(f"no Ray cluster can be used at {address}: {why}") from None
    found = ray.get_runtime_context().gcs_address
    if (
        not is_loopback(found.rpartition(":")[0])
        and _on_a_node(os.environ.get, "RAY_AUTH_MODE") != "token"
    ):
        raise SettingsError(_UNSAFE.format(address=found))


def _knock(address: str) -> None:
    """Raise OSError or ValueError where nothing answers at HOST:PORT; Ray would try for 40 s."""
    host, colon, port = address.rpartition(":")
    if colon and not port.isdecimal():
        raise ValueError(f"{port!r} is no port")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()


def _on_a_node(what: Callable[..., Any], *details: Any) -> Any:
    """What ``what`` returns on some node."""
    return ray.get(ray.remote(num_cpus=0)(lambda: what(*details)).remote())


def check_node(version: str, shared: Sequence[Path]) -> None:
    """Called on a node: raise SettingsError where it can't be used for what another machine asks.

    ``version``: of zoomtui there; ``shared``: folders that this node must see.
    """
    host = ray.util.get_node_ip_address()
    if version != __version__:
        raise SettingsError(f"{host} has zoomtui {__version__}, this machine {version}")
    for folder in shared:
        if not folder.exists():
            why = "storage must be shared, under one path"
            raise SettingsError(f"{host} does not see {folder}: {why}")


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
