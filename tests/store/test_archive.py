"""A results folder as lines of text."""

import shutil
import subprocess
import sys

import pytest

from gansearch.store.archive import MARK, is_result, pack, results, unpack
from gansearch.store.repair import RECORDS_LOG


@pytest.mark.parametrize(
    ("name", "copied"),
    [
        ("trials/00001/result.json", True),
        ("study.journal", True),
        (RECORDS_LOG, False),
        ("trials/ray/00001/checkpoint_000000/state.pt", False),
        (".study.journal.12", False),
        ("trials/00001/.result.json.12", False),
    ],
)
def test_only_results_are_copied(name, copied):
    assert is_result(name) == copied


def test_what_is_left_after_the_limit_comes_next_time(tmp_path):
    for i in range(4):
        (tmp_path / f"{i}.bin").write_bytes(bytes([i]) * 100)
    names, after = [], (0, "")
    for _ in range(3):
        *files, last = unpack("noise\n" + "\n".join(pack(tmp_path, after, limit=10)))
        names += [file["name"] for file in files]
        assert all(file["data"] == (tmp_path / file["name"]).read_bytes() for file in files)
        after = files[-1]["mtime"], files[-1]["name"]
    assert len(set(names)) == len(names) == 4 - last["left"]
    assert list(unpack("\n".join(pack(tmp_path / "none", (0, ""))))) == [{"missing": str(tmp_path / "none")}]


def test_it_starts_without_the_libraries_of_the_package():
    code = "import sys, gansearch.store.archive; sys.exit(bool({'numpy', 'pandas', 'pydantic'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[" * 100_000,
        "3",
        "[]",
        "{}",
        '{"left": "many"}',
        '{"left": [1]}',
        '{"data": "", "name": "a", "mtime": 1}',
        '{"data": 5, "name": "a", "mtime": 1}',
        '{"data": "eJwDAAAAAAE=", "mtime": 1}',
    ],
)
def test_a_line_that_no_archive_has_is_refused(line):
    with pytest.raises(ValueError, match=r"."):
        list(unpack(MARK + line))


def test_a_file_is_unpacked_to_its_bound_alone(tmp_path):
    (tmp_path / "zeros").write_bytes(bytes(10**6))
    text = "\n".join(pack(tmp_path, (0, "")))
    assert len(next(unpack(text, 10**6))["data"]) == 10**6
    with pytest.raises(ValueError, match="'zeros' is cut off, or larger"):
        list(unpack(text, 10**6 - 1))


def test_what_a_link_leads_to_is_not_packed(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "secret").write_text("a secret")
    (tmp_path / "out/link").symlink_to(tmp_path / "secret")
    assert [*unpack("\n".join(pack(tmp_path / "out", (0, ""))))] == [{"left": 0}]


def test_folders_that_are_removed_meanwhile_are_passed_over(tmp_path):
    for name in ("a", "b", "c", "ray"):
        (tmp_path / "trials" / name).mkdir(parents=True)
        (tmp_path / "trials" / name / "file").touch()
    found = []
    for name, _ in results(tmp_path):
        found.append(name)
        for other in {"a", "b", "c"} - {name.split("/")[1]}:
            shutil.rmtree(tmp_path / "trials" / other, ignore_errors=True)
    assert len(found) == 1
