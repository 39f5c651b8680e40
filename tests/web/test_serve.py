"""`zoomtui serve`: what it prints, where it listens, how it ends."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.processes import PATIENCE, ROOT, Running, environment, zoomtui_here
from tests.web.serving import address, serving
from zoomtui.web import serve
from zoomtui.web.serve import Place, listen

SSH = {"SSH_CONNECTION": "10.0.0.9 50000 10.0.0.1 2222"}
STATIC = ROOT / "zoomtui" / "web" / "static"


def test_the_first_line_is_the_link_and_ctrl_c_ends_it_without_a_word(tmp_path: Path) -> None:
    with serving(cwd=tmp_path) as server, server.events("/events") as told:
        next(told)  # a browser that waits for news holds nothing up
        server.ask(f"/?token={server.token}", authorization="")
        server.say(b"nonsense\r\n\r\n")
        server.process.signal(signal.SIGINT)
        assert server.process.end() == 130
        assert server.process.said.strip() == server.link
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{22}", server.link)


def test_a_browser_that_stops_reading_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_PATIENCE", 1)
    place = listen("127.0.0.1", 0)
    with place.listener, socket.create_connection(("127.0.0.1", place.port)) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection, _ = place.listener.accept()
        connection.settimeout(PATIENCE)  # that would have no number
        with connection, pytest.raises(TimeoutError) as ended:
            connection.sendall(bytes(64 << 20))
        assert ended.value.errno == errno.ETIMEDOUT


def test_sigterm_ends_it_too(tmp_path: Path) -> None:
    with serving(cwd=tmp_path) as server:
        server.process.signal(signal.SIGTERM)
        assert server.process.end() == 143


def test_over_ssh_the_line_to_type_at_home_follows(tmp_path: Path) -> None:
    with serving(cwd=tmp_path, **SSH) as server:
        said = server.process.until(lambda said: said.count("\n") > 1)
        line = said.splitlines()[1]
        forward = f"-L {server.port}:127.0.0.1:{server.port}"
        assert re.fullmatch(rf"ssh -N {forward} -p 2222 \S+@10\.0\.0\.1", line)


def test_a_socket_of_ones_own_is_served_and_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "page.sock"
    arguments = ("serve", "--socket", str(path))
    with Running(*arguments, cwd=tmp_path, **SSH) as process:
        link, line = process.until(lambda said: said.count("\n") > 1).splitlines()
        assert link.startswith("http://127.0.0.1:8787/?token=")
        assert f"-L 8787:{path} " in line
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        token = link.partition("=")[2]
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.fspath(path))
            connection.sendall(f"GET /?token={token} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            assert connection.recv(12) == b"HTTP/1.1 303"
        refused = zoomtui_here(*arguments, cwd=tmp_path)
        assert (refused.code, refused.err.count("\n")) == (2, 1)
        assert "in use" in refused.err
        process.signal(signal.SIGINT)
        assert process.end() == 130
    assert not path.exists()


def test_a_socket_that_a_killed_server_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "page.sock"
    for _ in range(2):
        with Running("serve", "--socket", str(path), cwd=tmp_path) as process:
            process.until("token=")
            process.signal(signal.SIGKILL)
            process.end()
        assert path.is_socket()
    path.unlink()
    path.write_text("mine")
    refused = zoomtui_here("serve", "--socket", str(path), cwd=tmp_path)
    assert (refused.code, path.read_text()) == (2, "mine")


def test_a_token_file_keeps_the_link(tmp_path: Path) -> None:
    kept = tmp_path / "token"
    tokens = []
    for _ in range(2):
        with serving("--token-file", kept, cwd=tmp_path) as server:
            tokens.append(server.token)
            assert server.ask("/").status == 200
    assert tokens == [kept.read_text().strip()] * 2
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.chmod(0o644)
    refused = zoomtui_here("serve", "--token-file", str(kept), cwd=tmp_path)
    assert (refused.code, "chmod 600" in refused.err) == (2, True)
    kept.chmod(0o600)
    kept.write_text("short")
    refused = zoomtui_here("serve", "--token-file", str(kept), cwd=tmp_path)
    assert (refused.code, "16" in refused.err, "short" in refused.err) == (2, True, False)


def test_beyond_loopback_it_says_what_that_means(
    tmp_path: Path, rendered: tuple[Path, object]
) -> None:
    name = socket.gethostname()
    with serving("--host", "0.0.0.0", rendered[0], cwd=tmp_path) as server:
        assert "everyone who reaches this address" in server.process.until("safer")
        assert server.link.startswith(f"http://{name}:{server.port}/")
        for host, status in ((name, 200), ("192.0.2.1", 200), ("evil.example", 421)):
            assert server.ask(address(rendered[0]), host=host).status == status


def test_it_ends_with_the_process_that_began_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "zoomtui", "serve", "--port", "0", "--until-eof"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


def test_what_cant_be_served_is_said_in_one_line(tmp_path: Path) -> None:
    taken = listen("127.0.0.1", 0)
    with taken.listener:
        for arguments, words in (
            (("--port", str(taken.port)), "--port 0"),
            (("--port", "70000"), "65535"),
            (("--host", "no.such.host.invalid"), "can't listen"),
            (("--socket", "x" * 200), "can't listen"),
            (("--socket", str(tmp_path / "no" / "a.sock")), "can't listen"),
            (("nothing.zoom",), "does not exist"),
        ):
            refused = zoomtui_here("serve", *arguments, cwd=tmp_path)
            assert (refused.code in (2, 3), refused.err.count("\n")) == (True, 1), refused
            assert words in refused.err
            assert refused.out == ""


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path) -> None:
    code = (
        "import sys, importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'uvicorn' else find(name, *more)\n"
        "from zoomtui.cli.main import main\n"
        "main(['serve'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        2, "zoomtui: the page needs more packages: pip install 'zoomtui[serve]'\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("[::1]", True), ("localhost", True), ("10.0.0.1", False)],
)
def test_only_loopback_is_forwarded(host: str, loopback: bool) -> None:
    with socket.socket() as listener:
        place = Place(listener, host, 8787)
        assert place.loopback is loopback
        assert bool(place.forwarding(SSH)) is loopback
        assert place.forwarding({}) == ""


def test_the_player_is_the_one_that_its_note_names() -> None:
    note = (STATIC / "VENDOR").read_text()
    (digest,) = re.findall(r"SHA-256 (\w{64})", note)
    assert hashlib.sha256((STATIC / "hls.light.min.js").read_bytes()).hexdigest() == digest
    assert "Apache License, Version 2.0" in (STATIC / "hls.LICENSE").read_text()


def test_the_page_asks_nothing_of_other_hosts() -> None:
    for path in STATIC.iterdir():
        if path.suffix in (".html", ".js", ".css") and not path.name.startswith("hls."):
            text = path.read_text()
            assert "//" not in re.sub(r"^\s*//.*|\s// .*", "", text, flags=re.MULTILINE), path
            assert "innerHTML" not in text
            assert "style=" not in text
