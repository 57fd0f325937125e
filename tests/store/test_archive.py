"""A results folder as lines of text."""

import subprocess
import sys

import pytest

from gansearch.store.archive import is_result, pack, unpack
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
