"""Getting the packages, with the real apt and a repository that is a folder."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from renderer.errors import SettingsError
from training import fetch

debian = pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb")), reason="needs apt and dpkg"
)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the package ``some-skies``, the only one that apt knows of."""
    root = tmp_path / "apt"
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = (
        "Package: some-skies\nVersion: 1.0\nArchitecture: all\n"
        "Maintainer: A. Uthor <a@example.org>\nDescription: skies\n"
    )
    (tree / "DEBIAN" / "control").write_text(control)
    (tree / "usr/share").mkdir(parents=True)
    (tree / "usr/share/sky.txt").write_text("blue")
    for folder in ("repository", "lists/partial", "archives/partial", "parts"):
        (root / folder).mkdir(parents=True)
    archive = root / "repository" / "some-skies_1.0_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", tree, archive],
        check=True,
        capture_output=True,
    )
    data = archive.read_bytes()
    (root / "repository" / "Packages").write_text(
        f"{control}Filename: ./{archive.name}\nSize: {len(data)}\n"
        f"SHA256: {hashlib.sha256(data).hexdigest()}\n"
    )
    (root / "sources.list").write_text(f"deb [trusted=yes] file:{root}/repository ./\n")
    (root / "status").touch()
    (root / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{root}/sources.list";\nDir::Etc::sourceparts "{root}/parts";\n'
        f'Dir::State::lists "{root}/lists";\nDir::State::status "{root}/status";\n'
        f'Dir::Cache "{root}";\nAPT::Sandbox::User "";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(root / "apt.conf"))
    subprocess.run(["apt-get", "update"], check=True, capture_output=True)
    return root / "repository"


@debian
def test_packages_are_unpacked_and_kept(tmp_path: Path, repository: Path) -> None:
    fetch.fetch(tmp_path / "sources", ["some-skies"])
    file = tmp_path / "sources/some-skies/usr/share/sky.txt"
    assert file.read_text() == "blue"
    shutil.rmtree(repository)
    fetch.fetch(tmp_path / "sources", ["some-skies"])
    assert file.read_text() == "blue"
    assert [path.name for path in (tmp_path / "sources").iterdir()] == ["some-skies"]


@debian
@pytest.mark.usefixtures("repository")
def test_a_package_that_apt_does_not_know_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        fetch.fetch(tmp_path / "sources", ["no-skies"])
    said = str(caught.value)
    assert said.startswith("apt-get download no-skies: E: ")
    assert "try `apt-get update`, or unpack the package no-skies by hand" in said
    assert "\n" not in said
    assert not list((tmp_path / "sources").iterdir())


@debian
def test_a_torn_archive_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "torn.deb").write_bytes(b"!<arch>\n")
    with pytest.raises(SettingsError, match="the download may be torn; try again"):
        fetch.unpack(tmp_path / "torn.deb", tmp_path / "files")


def test_without_apt_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fetch.main([str(tmp_path / "sources")]) == 2
    assert "apt-get isn't here" in caplog.text
    assert "unpack the packages stellarium-data by hand" in caplog.text
