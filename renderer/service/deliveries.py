"""Messages on their way to the user's command or to addresses: a process for each, with an end.

What is secret, an address, reaches the process by its standard input, and no line that is said of
it holds it. Knows what is delivered and to whom; not when.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from time import monotonic

from renderer.children import python_module
from renderer.engine.occasions import Kind, Occasion
from renderer.errors import SettingsError
from renderer.formatting import clean
from renderer.project.recipients import NOTIFY, ON_EVENT, Recipients
from renderer.service.apprise_child import MISSING, NO_ADDRESS, REFUSED

LIMIT = 30.0
"""Seconds that a delivery may take, then it is killed with all that it has started."""
COMMAND = "--on-event"
_APPRISE = "renderer.service.apprise_child"
_TYPES = {
    Kind.FINISHED: "success",
    Kind.RECOVERED: "success",
    Kind.FAILED: "failure",
    Kind.STALLED: "warning",
    Kind.RESTARTED: "warning",
    Kind.DISK: "warning",
}
"""Apprise's word for each; the rest is ``info``."""
_REASONS = {
    REFUSED: "it was refused, or could not be reached",
    NO_ADDRESS: "Apprise knows no such address",
    MISSING: "it needs Apprise: pip install 'zoomtui[notify]'",
}
"""By the exit code."""


class Delivery:
    """One message to one recipient, sent at once."""

    def __init__(
        self,
        to: str,
        line: Sequence[str],
        message: Mapping[str, object],
        *,
        environment: Mapping[str, str] | None = None,
        reasons: Mapping[int, str] = {},
        loud: bool = False,
    ) -> None:
        """Run ``line`` with ``message`` as JSON on its standard input.

        ``to``: who that is, in words. ``reasons``: what exit codes mean. ``loud``: what it says on
        standard error can be seen.
        """
        self.to = to
        self._reasons = reasons
        self._ends = monotonic() + LIMIT
        self.why = ""
        """Why it was not delivered, in words without secrets; empty: it was, or is under way."""
        self._process = None
        try:
            with os.fdopen(os.memfd_create("message"), "w+b") as given:  # a pipe might block
                given.write(json.dumps(message).encode())
                given.seek(0)
                self._process = subprocess.Popen(
                    line,
                    stdin=given,
                    stdout=subprocess.DEVNULL,
                    stderr=None if loud else subprocess.DEVNULL,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            self.why = f"it can't be started: {error.strerror}"

    def wait(self, seconds: float) -> bool:
        """Wait for so long; whether it has ended, by itself or at its limit."""
        if self._process is None:
            return True
        left = self._ends - monotonic()
        try:
            code = self._process.wait(max(0.0, min(left, seconds)))
        except subprocess.TimeoutExpired:
            if left > seconds:
                return False
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self.why = f"it was killed after {LIMIT:.0f} s"
            return True
        if code:
            self.why = self._reasons.get(code, f"its exit code was {code}")
        return True


def deliver(occasion: Occasion, recipients: Recipients, *, loud: bool = False) -> list[Delivery]:
    """Send ``occasion`` to all of them; returns at once."""
    sent = []
    message = occasion.plain()
    if recipients.command:
        facts = {f"ZOOMTUI_{name.upper()}": _text(value) for name, value in message.items()}
        environment = {**_without_secrets(), **facts}
        command = recipients.command
        sent.append(Delivery(COMMAND, command, message, environment=environment, loud=loud))
    title = f"{clean(occasion.facts.name)} {occasion.kind}"
    note = {"title": title, "body": occasion.text, "type": _TYPES.get(occasion.kind, "info")}
    return sent + [_to_address(url, note) for url in recipients.urls or ()]


def check(recipients: Recipients, where: str = "--notify") -> None:
    """Raise SettingsError for an address that can't be used, without naming it.

    ``where`` the addresses stand.
    """
    if recipients.urls and find_spec("apprise") is None:
        raise SettingsError(f"{where}: {_REASONS[MISSING]}")
    looks = [_to_address(url, {}) for url in recipients.urls or ()]
    for number, look in enumerate(looks, 1):
        look.wait(LIMIT)
        if look.why:
            raise SettingsError(f"{where}, address {number}: {look.why}")


def _to_address(url: str, note: Mapping[str, str]) -> Delivery:
    scheme = re.match(r"[a-z]{2,12}(?=s?://)", url)
    to = f"--notify ({scheme[0]})" if scheme else "--notify"
    return Delivery(to, python_module(_APPRISE), {"url": url, **note}, reasons=_REASONS)


def _text(value: object) -> str:
    """For an environment variable, which holds no line break and no NUL; empty: not known."""
    return "" if value is None else clean(str(value))


def _without_secrets() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name not in (NOTIFY, ON_EVENT)}
