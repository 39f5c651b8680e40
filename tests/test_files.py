"""Whole files or none, and words for what a disk may refuse."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from renderer.errors import StorageError
from renderer.files import (
    free_bytes,
    free_text,
    full_path,
    is_file,
    is_folder,
    is_there,
    replace_file,
    replacing_file,
    size_text,
    storage_errors,
    storage_message,
    user_path,
)


@pytest.mark.parametrize("name", ["n" * 300, "a\0b", "x/" * 3000])
def test_what_no_file_can_be_called_is_not_there(name: str) -> None:
    assert not any(asks(Path(name)) for asks in (is_there, is_folder, is_file))


def test_a_path_from_a_folder_that_is_gone_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert full_path("a") == f"{tmp_path}/here/a"
    (tmp_path / "here").rmdir()
    assert full_path("a") == "a"


def test_a_tilde_of_no_user_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~no-such-user/x") == Path("~no-such-user/x")
    assert user_path("~/x") == tmp_path / "x"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "a"
    replace_file(path, b"old", durable=durable)
    replace_file(path, b"new", durable=durable)
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


def test_the_old_file_is_seen_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with replacing_file(path) as file:
        file.write(b"ne")
        file.write(b"w")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fail_half_way() -> None:
        with replacing_file(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail_half_way()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_file_that_can_not_be_renamed_leaves_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.mkdir()
    with pytest.raises(StorageError, match=f"^can't write {path}: Is a directory$"):
        replace_file(path, b"new")
    assert names(tmp_path) == ["a"]


def test_a_stray_part_of_an_earlier_life_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "a.part").write_bytes(b"x" * 1000)
    replace_file(tmp_path / "a", b"new")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_keeps_the_old_file_and_says_what_to_do(tiny_disk: Path) -> None:
    path = tiny_disk / "a"
    replace_file(path, b"old")
    with pytest.raises(StorageError) as caught:
        replace_file(path, bytes(100_000))
    assert str(caught.value).startswith(f"no space left for {path} (")
    assert "free some space, then `zoomtui resume` goes on" in str(caught.value)
    assert path.read_bytes() == b"old"
    assert names(tiny_disk) == ["a"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_whatever_means_full_is_said_in_the_same_words(tmp_path: Path, number: int) -> None:
    error = OSError(number, os.strerror(number))
    assert storage_message(tmp_path / "a", error).startswith(f"no space left for {tmp_path / 'a'}")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "Read-only file system"),
        (errno.EACCES, "Permission denied"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_other_refusals_are_the_systems_own_words(tmp_path: Path, number: int, words: str) -> None:
    path = tmp_path / "a"
    with pytest.raises(StorageError) as caught, storage_errors(path):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == f"can't write {path}: {words}"
    assert caught.value.exit_code == 6


def test_other_errors_pass_through(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), storage_errors(tmp_path):
        raise ZeroDivisionError


def test_free_space_of_what_is_not_there_is_not_known(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "missing") is None
    assert free_text(tmp_path / "missing") == "?"
    assert (free_bytes(tmp_path) or 0) > 0


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (3.25 * 2**30, "3.2 GiB"),
        (5 * 2**40, "5.0 TiB"),
        (5000 * 2**40, "5000.0 TiB"),
    ],
)
def test_sizes_are_said_in_words_a_person_reads(size: float, text: str) -> None:
    assert size_text(size) == text
