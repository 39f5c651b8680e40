"""Many films in one file: rows of CSV, tables of TOML, and every way to get them wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from renderer.errors import SettingsError
from renderer.planning.film_list import read_films


def wrote(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_every_row_of_csv_is_a_film(tmp_path: Path) -> None:
    file = wrote(
        tmp_path / "films.csv",
        "prompt, seed,keyframes,zoom-factor,out,image\n"
        '"a reef, oil",7,inf,1.5,reef.zoom,\n'
        "a castle,,40,,,castle.jpg\n",
    )
    assert read_films(file) == [
        (
            "films.csv, line 2",
            {
                "prompt": "a reef, oil",
                "seed": 7,
                "keyframes": "inf",
                "zoom_factor": 1.5,
                "out": tmp_path / "reef.zoom",
            },
        ),
        (
            "films.csv, line 3",
            {"prompt": "a castle", "keyframes": 40, "image": tmp_path / "castle.jpg"},
        ),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffprompt,seed\na,7\n",
        "prompt,seed,\na,7,\n",
        "prompt,,seed,,\na,,7,,\n",
        "prompt,seed\n,\na,7\n\n , \n,,,\n",
        "prompt,seed,seed\na,,7\n",
    ],
    ids=["a mark of UTF-8", "an empty column", "more of them", "empty rows", "a column twice"],
)
def test_csv_is_read_as_spreadsheets_write_it(tmp_path: Path, text: str) -> None:
    assert [film for _, film in read_films(wrote(tmp_path / "films.csv", text))] == [
        {"prompt": "a", "seed": 7}
    ]


def test_lists_in_toml_are_multiplied(tmp_path: Path) -> None:
    file = wrote(
        tmp_path / "films.toml",
        '[[film]]\nprompt = ["a", "b"]\nseed = [1, 2, 3]\nstop-when = ["drift > 9"]\n'
        '[[film]]\nprompts = "plan.txt"\n',
    )
    films = read_films(file)
    assert [where for where, _ in films] == ["films.toml, film 1"] * 6 + ["films.toml, film 2"]
    pairs = [(film["prompt"], film["seed"]) for _, film in films[:6]]
    assert pairs == [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("b", 3)]
    assert films[0][1]["stop_when"] == ["drift > 9"]
    assert films[6][1] == {"prompts": tmp_path / "plan.txt"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "", "lists no films"),
        ("a.csv", "prompt\n", "lists no films"),
        ("a.csv", "prompt,seed\na,1,2\n", "line 2: it has not as many fields as line 1"),
        ("a.csv", "prompt,seed\na\n", "line 2: it has not as many fields as line 1"),
        ("a.csv", "prompt,seed\na,many\n", "line 2: seed=many is not a whole number"),
        ("a.csv", "prompt,sead\na,1\n", "line 2: unknown option 'sead'; did you mean 'seed'?"),
        ("a.csv", 'prompt\n"a\n', "no CSV"),
        ("a.csv", "prompt,seed,\na,1,2\n", "line 2: unknown option ''"),
        ("a.csv", "prompt\na\n,,b\n", "line 3: it has not as many fields as line 1"),
        ("a.csv", "seed,seed\n1,2\n", "line 2: seed is said twice"),
        ("a.csv", "zoom-factor,zoom_factor\n2,3\n", "line 2: zoom_factor is said twice"),
        ("a.toml", "[[film]]\nzoom-factor = 2\nzoom_factor = 3\n", "zoom_factor is said twice"),
        ("a.toml", "[[film]]\nprompt = \n", "is no TOML"),
        ("a.toml", f"[[film]]\nseed = 1{'0' * 5000}\n", "is no TOML: a number is too long"),
        ("a.toml", f"[[film]]\nseed = 0x1{'0' * 5000}\n", "is no TOML: a number is too long"),
        ("a.toml", f"film = {'[' * 5000}", "is no TOML: a number is too long, or tables or lists"),
        (
            "a.toml",
            f"film{'.a' * 5000} = 3",
            "is no TOML: a number is too long, or tables or lists",
        ),
        ("a.toml", "film = 3\n", "films are written as"),
        ("a.toml", "film = [3]\n", "films are written as"),
        ("a.toml", "[[films]]\nprompt = 'a'\n", "lists no films"),
        ("a.toml", "[[film]]\nworkers-x = 1\n", "unknown option 'workers-x'"),
        ("a.toml", "[[film]]\nprompt = []\n", "lists no films"),
    ],
)
def test_what_is_no_list_of_films_is_one_line(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    with pytest.raises(SettingsError) as error:
        read_films(wrote(tmp_path / name, text))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_no_text_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read: No such file"):
        read_films(tmp_path / "none.csv")
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        read_films(tmp_path / "a.toml")
