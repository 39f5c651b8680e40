"""Who may see the page, and what a browser may do with what it gets. Knows nothing of renders.

The link's token becomes a cookie of this browser, and goes out of its address. A request is only
answered under a name that this server has: a page from elsewhere can let a name of its own point
here (DNS rebinding), and would else read along. Nothing can be changed over HTTP at all.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import quote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METRICS = "/metrics"
"""Read by programs that keep no cookie: a token in its address is enough, each time."""
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self' blob:",  # hls.js hands film to the browser as a blob
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer; a route may set its own."""
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^][:@/]+)(?::(\d{1,5}))?")
_COME_AGAIN = (
    '<!doctype html><meta http-equiv="refresh" content="0"><title>zoomtui</title>'
    '<a href="">Go on</a>'
)


class Cut(Exception):
    """An answer that was begun must not be gone on with: its connection is to end."""


class Access:
    """Stands around the whole app."""

    def __init__(self, app: ASGIApp, token: str, names: Iterable[str], *, any_ip: bool) -> None:
        """``names``: host names that are answered, beside those of this machine for itself.

        ``any_ip``: and any address of numbers, which no name can be pointed from.
        """
        self._app = app
        self._token = token
        self._names = {"localhost", "127.0.0.1", "[::1]", *(name.lower() for name in names)}
        self._any_ip = any_ip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(Request(scope)) or self._app
        with contextlib.suppress(Cut):  # the server then ends the connection: it was not the whole
            await answer(scope, receive, guarded)

    def _refusal(self, request: Request) -> Response | None:
        """What is answered instead; None: nothing."""
        found = _HOST.fullmatch(request.headers.get("host", "").lower())
        if found is None or not self._is_ours(found[1]):
            return PlainTextResponse("this server has no such name\n", 421)
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("this page only shows\n", 405, {"Allow": "GET, HEAD"})
        cookie = f"zoomtui-{found[2] or 80}"  # browsers keep those of all ports together
        given = request.query_params.get("token")
        if given is not None and self._is_right(given):
            return None if request.url.path == METRICS else self._let_in(request, cookie)
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self._is_right(bearer.strip()):
            return None
        if self._is_right(request.cookies.get(cookie, "")):
            return None
        if request.headers.get("sec-fetch-site") == "cross-site":
            # A link in a mail: the browser keeps the cookie back until it comes from here.
            return HTMLResponse(_COME_AGAIN, 401)
        return PlainTextResponse("open the link that `zoomtui serve` printed\n", 401)

    def _is_ours(self, name: str) -> bool:
        if name in self._names:
            return True
        try:
            address = ip_address(name.strip("[]"))
        except ValueError:
            return False
        return self._any_ip or address.is_loopback

    def _is_right(self, token: str) -> bool:
        return compare_digest(token.encode(), self._token.encode())

    def _let_in(self, request: Request, cookie: str) -> Response:
        rest = [pair for pair in request.query_params.multi_items() if pair[0] != "token"]
        where = "/" + quote(request.url.path.lstrip("/")) + ("?" + urlencode(rest) if rest else "")
        answer = RedirectResponse(where, 303)
        answer.set_cookie(cookie, self._token, httponly=True, samesite="strict", path="/")
        return answer
