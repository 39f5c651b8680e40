"""A process that delivers one message to one address, by Apprise; see ``deliveries``.

Standard input is JSON: ``url``, and ``title``, ``body`` and ``type``; without these the address is
only looked at. The exit code says what came of it. Nothing is printed or logged, since Apprise's
lines may hold the address, which is a secret.
"""

from __future__ import annotations

import json
import logging
import sys

DELIVERED, REFUSED, NO_ADDRESS, MISSING = 0, 1, 2, 3


def main() -> int:
    url, *message = json.load(sys.stdin).values()
    try:
        import apprise  # of an extra
    except ImportError:
        return MISSING
    logging.disable()
    service = apprise.Apprise()
    if not service.add(url):
        return NO_ADDRESS
    if not message:
        return DELIVERED
    title, body, kind = message
    sent = service.notify(body, title, apprise.NotifyType(kind), apprise.NotifyFormat.TEXT)
    return DELIVERED if sent else REFUSED


if __name__ == "__main__":
    sys.exit(main())
