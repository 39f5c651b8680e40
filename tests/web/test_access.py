"""Hostile requests: who is let in, by what name, to what."""

from __future__ import annotations

import re
import socket
import time
import urllib.parse
from pathlib import Path

import psutil
import pytest

from tests.web.serving import Served, address

Both = tuple[Served, Path]


def test_without_the_token_nothing_is_shown(served: Both) -> None:
    server, folder = served
    wrong = server.token[:-1] + ("a" if server.token[-1] != "a" else "b")
    paths = ["/", address(folder), f"{address(folder)}/events", "/static/page.css", "/metrics"]
    for path in paths:
        for given in ("", "Bearer", f"Bearer {wrong}", f"Basic {server.token}", "Bearer \xfc"):
            answer = server.ask(path, authorization=given)
            assert (answer.status, server.token in answer.text) == (401, False), (path, given)
        assert server.ask(f"{path}?token={wrong}", authorization="").status == 401
        assert server.ask(f"{path}?token=", authorization="").status == 401
        cookie = f"zoomtui-{server.port}={wrong}"
        assert server.ask(path, authorization="", cookie=cookie).status == 401


def test_the_links_token_becomes_a_cookie_and_leaves_the_address(served: Both) -> None:
    server, folder = served
    answer = server.ask(f"{address(folder)}?a=1&token={server.token}", authorization="")
    assert (answer.status, answer.headers["location"]) == (303, f"{address(folder)}?a=1")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"zoomtui-{server.port}={server.token};")
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
    kept = cookie.partition(";")[0]
    assert server.ask(address(folder), authorization="", cookie=kept).status == 200


def test_a_link_leads_nowhere_else(served: Both) -> None:
    server, _ = served
    for path in ("//evil.example/", "/\\evil.example/", "/%0d%0aX-A:b", "///evil.example"):
        answer = server.ask(f"{path}?token={server.token}", authorization="")
        assert answer.status == 303
        assert re.fullmatch(r"/[^/\\\r\n][^\\\r\n]*", answer.headers["location"])
        assert "x-a" not in answer.headers


def test_a_browser_that_comes_by_a_link_in_a_mail_asks_once_more(served: Both) -> None:
    server, _ = served  # it doesn't send a strict cookie on the way from another site
    answer = server.ask("/", authorization="", sec_fetch_site="cross-site")
    assert (answer.status, 'http-equiv="refresh"' in answer.text) == (401, True)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "10.0.0.1", "", "[::1",
     "127.0.0.1:99999999", "evil.example:127.0.0.1", "localhost.", "[fe80::1]"],
)  # fmt: skip
def test_a_foreign_name_is_refused_even_with_the_token(served: Both, host: str) -> None:
    server, _ = served
    said = server.say(
        f"GET / HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode()
    )
    assert said.startswith(b"HTTP/1.1 4")
    assert not said.startswith((b"HTTP/1.1 401", b"HTTP/1.1 404"))


def test_this_machines_own_names_are_answered(served: Both) -> None:
    server, folder = served
    for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.0.0.2"):
        for port in ("", ":1", f":{server.port}"):  # `ssh -L` may lead here from any port
            assert server.ask(address(folder), host=name + port).status == 200


def test_nothing_can_be_changed(served: Both) -> None:
    server, folder = served
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"):
        answer = server.ask(address(folder), method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}
    socket_key = {"sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ=="}
    assert server.ask("/", **upgrade, **socket_key).status in (303, 400)


def test_no_path_leads_out_of_what_is_served(served: Both) -> None:
    server, folder = served
    (folder / "secret.txt").write_text("secret")
    own, up = address(folder), "..%2f"
    paths = [
        *(
            f"{own}/{name}"
            for name in ("secret.txt", "project.toml", "journal.jsonl", "render.log")
        ),
        *(f"{own}/film/{name}/film.mp4" for name in ("x", up, "..", "%00")),
        *(f"{own}/keyframe/{k}" for k in (f"{up}0/1/full", "0/1/huge", "-1/1/full", "0/1e3/full")),
        f"{own}/keyframe/{'9' * 5000}/1/small",
        f"{own}/keyframe/٣/1/small",
        f"{own}/chart/{up}secret.txt",
        f"/r/{up}{up}etc%2fpasswd",
        "/r/..",
        f"/r/{urllib.parse.quote(str(folder), safe='')}",
        f"/static/{up}access.py",
        "/static/../access.py",
        "/static/__init__.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
    ]
    for path in paths:
        answer = server.ask(urllib.parse.quote(path, safe="/%"))
        assert (answer.status, "secret" in answer.text) == (404, False), path


def test_a_link_in_a_project_is_not_followed(served: Both, tmp_path: Path) -> None:
    server, folder = served
    kept = (folder / "keyframes" / "000000.png").read_bytes()
    (tmp_path / "private.png").write_bytes(kept)
    (folder / "keyframes" / "000077.png").symlink_to(tmp_path / "private.png")
    for size in ("small", "large", "full"):
        assert server.ask(f"{address(folder)}/keyframe/77/1/{size}").status == 404
    (folder / "keyframes" / "000078.png").write_text("no picture")
    for size in ("small", "large", "full"):
        assert server.ask(f"{address(folder)}/keyframe/78/1/{size}").status == 404


def test_a_browser_is_told_to_be_strict(served: Both) -> None:
    server, folder = served
    pages = [
        address(folder),
        "/static/render.js",
        "/nothing",
        f"{address(folder)}/keyframe/0/1/full",
    ]
    for path in pages:
        for authorization in (f"Bearer {server.token}", ""):
            headers = server.ask(path, authorization=authorization).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "server" not in headers


def test_what_is_no_request_ends_the_connection(served: Both) -> None:
    server, folder = served
    for said in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nA" * 9999):
        answer = server.say(said)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert server.ask(address(folder)).status == 200


@pytest.mark.slow
def test_ten_thousand_bad_requests_leave_it_as_it_was(served: Both) -> None:
    server, folder = served
    bad = [
        ("GET", "/", "evil.example", ""),
        ("GET", "/" + "a" * 4000, "localhost", ""),
        ("POST", "/", "localhost", server.token),
        ("GET", "/r/0123456789abcdef", "localhost", server.token),
        ("GET", f"{address(folder)}/keyframe/999999/1/small", "localhost", server.token),
        ("GET", f"{address(folder)}/film/00000000/film.mp4", "localhost", server.token),
        ("GET", "/?token=" + "x" * 43, "localhost", ""),
    ]
    form = "{} {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n"
    requests = [form.format(*each).encode() for each in bad]
    before = _memory(server)
    began, answered = time.monotonic(), 0
    while answered < 10_000:
        with (
            socket.create_connection(("127.0.0.1", server.port), 60) as connection,
            connection.makefile("rb") as answers,
        ):
            for number in range(500):
                connection.sendall(requests[number % len(requests)])
                assert b" 4" in answers.readline()
                length = 0
                while (line := answers.readline().strip()) != b"":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                answers.read(length)
                answered += 1
    assert time.monotonic() - began < 600  # only there to end it when it hangs
    assert server.ask(address(folder)).status == 200
    assert _memory(server) - before < 64 << 20


def _memory(server: Served) -> int:
    return int(psutil.Process(server.process.pid).memory_info().rss)
