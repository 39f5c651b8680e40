"""Fetching from the hub, with the real client against a small hub on this machine.

Each call runs in a process of its own, because the client reads its environment when imported.
"""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest

from renderer.painting.painters.diffusion.families.flux import KLEIN
from renderer.painting.painters.diffusion.hub_errors import explain
from renderer.settings.presets import find_preset
from tests.marks import first_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LOCATE = """
import sys
from renderer.errors import RendererError
from renderer.painting.painters.diffusion.families.index import FAMILIES
from renderer.painting.painters.diffusion.hub import (
    locate,
    locate_companion,
    locate_lora,
)
from renderer.settings.lora_names import parse_lora
from renderer.painting.painters.notices import listening
def say(line):
    print("note:", line, file=sys.stderr)
try:
    with listening(say):
        if ".safetensors" in sys.argv[1]:
            print(locate_lora(parse_lora(sys.argv[1])))
        elif sys.argv[1] in FAMILIES:
            print(locate_companion(FAMILIES[sys.argv[1]].companion, half=sys.argv[2] == "half"))
        else:
            print(locate(sys.argv[1], half=sys.argv[2] == "half"))
except RendererError as error:
    sys.exit(f"{type(error).__name__}: {error}")
finally:
    assert "torch" not in sys.modules
"""
PARTS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
}


def pipeline_files(class_name: str = "StableDiffusionInpaintPipeline") -> dict[str, bytes]:
    """The files of a repository as SD's looks, with a few bytes for weights."""
    index = {
        "_class_name": class_name,
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "feature_extractor": [None, None],
    }
    files = {"model_index.json": json.dumps(index).encode(), "README.md": b"a model"}
    for part, stem in {**PARTS, "safety_checker": "model"}.items():
        files[f"{part}/config.json"] = b"{}"
        for name in (f"{stem}.safetensors", f"{stem}.fp16.safetensors", "pytorch_model.bin"):
            files[f"{part}/{name}"] = f"weights of {part} in {name}".encode()
    return files


@dataclass
class Hub:
    """What the server serves and what it was asked for."""

    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    sizes: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)
    """File → after how many bytes its next answer breaks off."""
    ranges: list[str] = field(default_factory=list)
    """Ranges of bytes that were asked for."""
    url: str = ""


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append(path)
            api = re.fullmatch(r"/api/models/([^/]+/[^/]+)/(revision|tree)/(.+)", path)
            file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
            match = api or file
            repo, revision = (match[1], match[3 if api else 2]) if match else ("", "")
            if repo in hub.gated:
                self.answer(401, b"", {"X-Error-Code": "GatedRepo"})
            elif repo not in hub.repos:
                self.answer(401, b"", {"X-Error-Code": "RepoNotFound"})
            elif revision not in {"main", COMMIT}:
                self.answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
            elif api:
                self.answer(200, json.dumps(self.listing(repo, api[2])).encode(), {})
            elif file and file[3] in hub.repos[repo]:
                etag = {"ETag": f'"{abs(hash(path)):x}"', "X-Repo-Commit": COMMIT}
                self.send_part(file[3], hub.repos[repo][file[3]], etag)
            else:
                self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})

        def listing(self, repo: str, kind: str) -> object:
            sizes = {name: hub.sizes.get(name, len(b)) for name, b in hub.repos[repo].items()}
            if kind == "tree":
                return [
                    {"type": "file", "path": name, "size": size, "oid": "0" * 40}
                    for name, size in sizes.items()
                ]
            files = [{"rfilename": name, "size": size} for name, size in sizes.items()]
            return {"id": repo, "sha": COMMIT, "siblings": files}

        def send_part(self, name: str, body: bytes, headers: dict[str, str]) -> None:
            """The bytes that were asked for, or fewer, where the line is to be cut."""
            wanted = self.headers.get("Range")
            if wanted is None or self.command == "HEAD":
                cut = hub.cut.pop(name, None) if self.command == "GET" else None
                self.answer(200, body, headers, cut)
                return
            hub.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self.answer(206, body[start:], headers)

        def answer(
            self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body[:cut])
            if cut is not None:
                self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever)
        thread.start()
        hub.url = f"http://127.0.0.1:{server.server_port}"
        yield hub
        server.shutdown()
        thread.join()


def locate(
    model: str, home: Path, url: str = "http://127.0.0.1:9", *, half: bool = True, **more: str
) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    return subprocess.run(
        [sys.executable, "-c", LOCATE, model, "half" if half else "full"],
        env={**clean, "HF_HOME": str(home), "HF_ENDPOINT": url, **more},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def files_in(folder: str) -> set[str]:
    root = Path(folder.strip())
    return {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}


def test_only_the_needed_files_are_fetched_once(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/model"] = pipeline_files()
    first = locate("me/model", tmp_path, hub.url)
    assert first.returncode == 0, first.stderr
    configs = {f"{part}/config.json" for part in PARTS}
    weights = {f"{part}/{stem}.fp16.safetensors" for part, stem in PARTS.items()}
    assert files_in(first.stdout) == {"model_index.json"} | configs | weights

    hub.asked.clear()
    second = locate("me/model", tmp_path, hub.url)
    assert second.stdout == first.stdout
    assert hub.asked == []
    offline = locate("me/model", tmp_path, hub.url, HF_HUB_OFFLINE="1")
    assert offline.stdout == first.stdout


def test_full_precision_is_fetched_for_a_cpu(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/model"] = pipeline_files()
    done = locate(f"me/model@{COMMIT}", tmp_path, hub.url, half=False)
    assert done.returncode == 0, done.stderr
    assert "unet/diffusion_pytorch_model.safetensors" in files_in(done.stdout)
    assert "unet/diffusion_pytorch_model.fp16.safetensors" not in files_in(done.stdout)


def test_a_download_that_broke_off_is_completed(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/model"] = pipeline_files()
    folder = locate("me/model", tmp_path, hub.url).stdout.strip()
    lost = Path(folder) / "vae/diffusion_pytorch_model.fp16.safetensors"
    lost.resolve().unlink()
    lost.unlink()
    again = locate("me/model", tmp_path, hub.url)
    assert again.stdout.strip() == folder
    assert (
        lost.read_bytes() == hub.repos["me/model"]["vae/diffusion_pytorch_model.fp16.safetensors"]
    )


@pytest.mark.parametrize("rest", ["vae/config.json", "unet/diffusion_pytorch_model.safetensors"])
def test_what_another_program_fetched_of_a_model_is_completed(
    hub: Hub, tmp_path: Path, rest: str
) -> None:
    hub.repos["me/model"] = pipeline_files()
    folder = Path(locate("me/model", tmp_path, hub.url).stdout.strip())
    for file in [file for file in folder.rglob("*") if file.is_file()]:
        if file != folder / rest:
            file.resolve().unlink()
            file.unlink()
    again = locate("me/model", tmp_path, hub.url)
    assert again.returncode == 0, again.stderr
    assert (folder / "model_index.json").is_file()


def test_weights_that_a_link_leads_to_in_vain_are_fetched_again(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/model"] = pipeline_files()
    folder = locate("me/model", tmp_path, hub.url).stdout.strip()
    lost = Path(folder) / "vae/diffusion_pytorch_model.fp16.safetensors"
    lost.resolve().unlink()
    assert locate("me/model", tmp_path, hub.url).stdout.strip() == folder
    assert lost.is_file()


def test_the_size_comes_first_and_then_how_far_it_is(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/model"] = pipeline_files()
    hub.repos["me/model"]["unet/diffusion_pytorch_model.fp16.safetensors"] = bytes(30_000_000)
    done = locate("me/model", tmp_path, hub.url)
    lines = [line.removeprefix("note: ") for line in done.stderr.splitlines()]
    assert lines[0] == (f"downloading me/model, 28.6 MiB, to {tmp_path / 'hub'}; needed only once")
    assert 1 <= len(lines) - 1 <= 9
    for line in lines[1:]:
        assert re.fullmatch(
            r"downloading me/model: \d+% of 28\.6 MiB, [\d.]+ [KMG]iB/s, about \d+ (s|min) left",
            line,
        )


def test_a_file_that_broke_off_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/model"] = pipeline_files()
    name = "unet/diffusion_pytorch_model.fp16.safetensors"
    hub.repos["me/model"][name] = bytes(range(256)) * 100_000
    hub.cut[name] = 20_000_000
    done = locate("me/model", tmp_path, hub.url)
    assert done.returncode == 0, done.stderr
    assert (Path(done.stdout.strip()) / name).read_bytes() == hub.repos["me/model"][name]
    assert len(hub.ranges) == 1
    assert int(hub.ranges[0].removeprefix("bytes=").partition("-")[0]) > 0


LCM = "latent-consistency/lcm-lora-sdv1-5"


def test_a_lora_is_fetched_at_its_revision(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/style"] = hub.repos[LCM] = {"few.safetensors": b"weights"}
    done = locate(f"me/style@{COMMIT}/few.safetensors:0.8", tmp_path, hub.url)
    assert Path(done.stdout.strip()).read_bytes() == b"weights"
    assert f"/me/style/resolve/{COMMIT}/few.safetensors" in hub.asked
    # One that a preset brings along is asked for as it was when it was looked at.
    locate(f"{LCM}/few.safetensors", tmp_path, hub.url)
    few = find_preset("sd15").few_steps  # type: ignore[union-attr]
    assert few is not None
    assert len(few.revision) == 40
    assert any(few.revision in path for path in hub.asked)
    # Nor is one looked for in vain that an earlier version fetched from the top of its branch.
    snapshot = tmp_path / "hub" / f"models--{LCM.replace('/', '--')}"
    (snapshot / "snapshots" / COMMIT).mkdir(parents=True)
    (snapshot / "refs").mkdir(exist_ok=True)
    (snapshot / "refs/main").write_text(COMMIT)
    (snapshot / "snapshots" / COMMIT / "few.safetensors").write_bytes(b"earlier")
    offline = locate(f"{LCM}/few.safetensors", tmp_path, hub.url, HF_HUB_OFFLINE="1")
    assert Path(offline.stdout.strip()).read_bytes() == b"earlier"


@pytest.mark.slow
def test_a_lora_is_fetched_once_by_its_file(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/style"] = {"few.safetensors": b"weights", "other.safetensors": b"more"}
    first = locate("me/style/few.safetensors:0.8", tmp_path, hub.url)
    assert first.returncode == 0, first.stderr
    assert Path(first.stdout.strip()).read_bytes() == b"weights"
    hub.asked.clear()
    offline = locate("me/style/few.safetensors", tmp_path, hub.url, HF_HUB_OFFLINE="1")
    assert offline.stdout == first.stdout
    assert hub.asked == []
    missing = locate("me/style/none.safetensors", tmp_path, hub.url)
    assert missing.stderr.strip() == "PainterError: me/style has no file none.safetensors"
    unknown = locate("me/nothing/few.safetensors", tmp_path, hub.url)
    assert unknown.stderr.startswith("PainterError: the hub has no model me/nothing")


def test_a_preset_is_found_where_it_was_downloaded_under_its_old_id(
    hub: Hub, tmp_path: Path
) -> None:
    old = "stabilityai/stable-diffusion-2-inpainting"
    cache = tmp_path / "hub" / f"models--{old.replace('/', '--')}"
    for name, content in pipeline_files().items():
        file = cache / "snapshots" / COMMIT / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(COMMIT)
    done = locate("sd2", tmp_path, hub.url)
    assert done.stdout.strip() == str(cache / "snapshots" / COMMIT)
    assert hub.asked == []


def test_a_gated_model_says_how_to_get_in(hub: Hub, tmp_path: Path) -> None:
    hub.gated.add("me/closed")
    done = locate("me/closed", tmp_path, hub.url)
    assert done.stderr.strip() == (
        f"PainterError: me/closed is gated: accept its licence at {hub.url}/me/closed, "
        "then run `hf auth login`"
    )


def test_a_model_that_does_not_exist_is_named(hub: Hub, tmp_path: Path) -> None:
    done = locate("me/nothing", tmp_path, hub.url)
    assert done.stderr.strip() == (
        "PainterError: the hub has no model me/nothing, or it is private; check the name, and "
        "for a private one run `hf auth login`"
    )


def test_a_revision_that_does_not_exist_is_named(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/model"] = pipeline_files()
    done = locate("me/model@v9", tmp_path, hub.url)
    assert done.stderr.strip() == (
        f"PainterError: me/model has no revision v9 (any more); check it at {hub.url}/me/model"
    )


def test_a_model_of_the_wrong_kind_is_refused_before_its_weights_come(
    hub: Hub, tmp_path: Path
) -> None:
    hub.repos["me/flux"] = pipeline_files("FluxPipeline")
    done = locate("me/flux", tmp_path, hub.url)
    assert done.stderr.strip() == (
        "PainterError: me/flux is a text-to-image model (FluxPipeline); an inpainting "
        "one is needed, e.g. the model flux-fill"
    )
    assert not [path for path in hub.asked if path.endswith(".safetensors")]


def test_a_repository_that_is_no_pipeline_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/text"] = {"config.json": b"{}"}
    done = locate("me/text", tmp_path, hub.url)
    assert done.stderr.strip() == (
        "PainterError: me/text is no diffusers pipeline: it has no model_index.json"
    )


def test_pickled_weights_are_not_fetched(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/old"] = {
        name: content
        for name, content in pipeline_files().items()
        if not name.endswith(".safetensors")
    }
    done = locate("me/old", tmp_path, hub.url)
    assert done.stderr.strip() == (
        "MissingWeights: me/old has only pickled weights for its unet (unet/pytorch_model.bin), "
        "which are not opened because they may run code; convert the model to safetensors, or give "
        "--trust-pickled-weights if you trust who made it"
    )


def test_a_disk_that_is_too_small_is_noticed_before_the_download(hub: Hub, tmp_path: Path) -> None:
    hub.repos["me/model"] = pipeline_files()
    hub.sizes["unet/diffusion_pytorch_model.fp16.safetensors"] = 10**18
    done = locate("me/model", tmp_path, hub.url)
    assert re.fullmatch(
        r"PainterError: me/model takes 909494\.7 TiB and \S+ has [\d.]+ [MGT]iB free; free some, "
        r"or set HF_HOME to a larger disk",
        done.stderr.strip(),
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB where the cache keeps me/model, which is otherwise on a larger one."""
    folder = tmp_path / "hub" / "models--me--model"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
def test_a_disk_that_fills_up_while_downloading_is_said_and_more_room_completes_it(
    hub: Hub, tmp_path: Path, small_disk: Path
) -> None:
    name = "unet/diffusion_pytorch_model.fp16.safetensors"
    hub.repos["me/model"] = pipeline_files()
    hub.repos["me/model"][name] = bytes(range(256)) * 12_000
    full = locate("me/model", tmp_path, hub.url)
    assert full.stderr.splitlines()[-1] == (
        f"PainterError: the disk is full: no room for me/model in {tmp_path / 'hub'}; free some, "
        "or set HF_HOME to a larger disk"
    )
    assert full.returncode != 0
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    done = locate("me/model", tmp_path, hub.url)
    assert done.returncode == 0, done.stderr
    assert (Path(done.stdout.strip()) / name).read_bytes() == hub.repos["me/model"][name]


def companion_files(class_name: str) -> tuple[str, dict[str, bytes], set[str]]:
    """(repository, its files, the names of those that are needed) of a kind's missing parts."""
    if class_name == "QwenImagePipeline":
        needed = {"config.json", "diffusion_pytorch_model.safetensors"}
        more = {"README.md", "assets/image.png"}
        repo = "InstantX/Qwen-Image-ControlNet-Inpainting"
    else:
        needed = {
            "model_index.json",
            "prior/config.json",
            "prior/diffusion_pytorch_model.fp16.safetensors",
            "image_encoder/model.fp16.safetensors",
            "text_encoder/model.fp16.safetensors",
            "tokenizer/vocab.json",
        }
        more = {"prior/diffusion_pytorch_model.bin", "text_encoder/model.safetensors"}
        repo = "kandinsky-community/kandinsky-2-2-prior"
    return repo, {name: name.encode() for name in needed | more}, needed


def test_the_lora_that_klein_needs_is_fetched_alone(hub: Hub, tmp_path: Path) -> None:
    repo, _, name = KLEIN.lora.rpartition("/")
    hub.repos[repo] = {name: b"weights", "other_comfy_converted.safetensors": b"", "a.png": b""}
    found = locate(KLEIN.lora, tmp_path, hub.url)
    assert found.returncode == 0, found.stderr
    assert files_in(str(Path(found.stdout.strip()).parent)) == {name}


def test_a_companion_in_one_file_is_fetched_alone(hub: Hub, tmp_path: Path) -> None:
    repo = "alibaba-pai/Z-Image-Turbo-Fun-Controlnet-Union-2.0"
    name = "Z-Image-Turbo-Fun-Controlnet-Union-2.1.safetensors"
    hub.repos[repo] = {name: b"weights", "another.safetensors": b"more", "README.md": b"a model"}
    first = locate("ZImagePipeline", tmp_path, hub.url)
    assert first.returncode == 0, first.stderr
    assert files_in(str(Path(first.stdout.strip()).parent)) == {name}
    hub.asked.clear()
    again = locate("ZImagePipeline", tmp_path, hub.url, HF_HUB_OFFLINE="1")
    assert again.stdout == first.stdout
    assert hub.asked == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "class_name", first_of(["QwenImagePipeline", "KandinskyV22InpaintPipeline"])
)
def test_the_parts_that_a_model_lacks_are_fetched_once_from_elsewhere(
    hub: Hub, tmp_path: Path, class_name: str
) -> None:
    repo, files, needed = companion_files(class_name)
    nothing = locate(class_name, tmp_path, hub.url, HF_HUB_OFFLINE="1")
    assert nothing.stderr.startswith(f"PainterError: {repo} is not wholly on this disk and ")
    hub.repos[repo] = files
    first = locate(class_name, tmp_path, hub.url)
    assert first.returncode == 0, first.stderr
    assert files_in(first.stdout) == needed
    hub.asked.clear()
    again = locate(class_name, tmp_path, hub.url, HF_HUB_OFFLINE="1")
    assert again.stdout == first.stdout
    assert hub.asked == []
    lost = next(name for name in needed if name.endswith(".safetensors"))
    (Path(first.stdout.strip()) / lost).unlink()
    completed = locate(class_name, tmp_path, hub.url)
    assert files_in(completed.stdout) == needed


def test_a_cached_model_of_the_wrong_kind_is_refused_without_network(tmp_path: Path) -> None:
    cache = tmp_path / "hub" / "models--me--flux"
    for name in ("snapshots", "refs"):
        (cache / name).mkdir(parents=True)
    (cache / "refs" / "main").write_text(COMMIT)
    (cache / "snapshots" / COMMIT).mkdir()
    index = pipeline_files("FluxPipeline")["model_index.json"]
    (cache / "snapshots" / COMMIT / "model_index.json").write_bytes(index)
    done = locate("me/flux", tmp_path, HF_HUB_OFFLINE="1")
    assert done.stderr.startswith("PainterError: me/flux is a text-to-image model")


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.ENOSPC, "the disk is full: no room for me/model in "),
        (errno.EACCES, "no permission to write me/model to "),
        (errno.EIO, "me/model can't be fetched: [Errno 5] Input/output error"),
    ],
)
def test_the_cause_is_found_below_what_the_libraries_wrap_around_it(number: int, line: str) -> None:
    try:
        try:
            raise OSError(number, os.strerror(number))
        except OSError as error:
            raise ValueError("does not appear to have a file named model_index.json") from error
    except ValueError as error:
        explained = explain(error, "me/model", "main")
    assert str(explained).startswith(line)
    assert "\n" not in str(explained)


def test_offline_is_said_at_once(tmp_path: Path) -> None:
    done = locate("me/model", tmp_path, HF_HUB_OFFLINE="1")
    assert done.stderr.strip() == (
        "PainterError: me/model is not wholly on this disk and HF_HUB_OFFLINE is set; unset it, "
        f"or run `hf download me/model` on a machine with network and copy {tmp_path / 'hub'}"
    )


@pytest.fixture
def deaf_hub() -> Iterator[tuple[str, list[int]]]:
    """A URL where every connection is closed at once, and a number for each that was made."""
    calls: list[int] = []

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            calls.append(len(calls))

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", calls
        server.shutdown()
        thread.join()


def test_a_hub_that_cannot_be_reached_is_not_tried_again_and_again(
    deaf_hub: tuple[str, list[int]], tmp_path: Path
) -> None:
    url, calls = deaf_hub
    done = locate("me/model", tmp_path, url)
    assert "the hub can't be reached" in done.stderr
    assert done.stderr.count("\n") == 1
    assert 1 <= len(calls) <= 2


def test_no_network_is_said(tmp_path: Path) -> None:
    done = locate("me/model", tmp_path)
    assert done.stderr.strip() == (
        "PainterError: me/model is not wholly on this disk and the hub can't be reached at "
        "http://127.0.0.1:9 ([Errno 111] Connection refused); check the network, or give a folder"
    )
