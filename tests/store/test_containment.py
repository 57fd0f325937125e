"""Names that lead out of a folder, links, pipes, and files that are too large."""

import os

import pytest

from gansearch.store import containment
from gansearch.store.containment import Refused, check_amount, inside, links, open_file, read_text

OUTSIDE = ["", "/etc/passwd", "..", "../a", "a/../../b", "a//b", "./a", "a/.", "a\\..\\b", "a\nb", "a\0b", "trials/"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_out_are_refused(tmp_path, name):
    with pytest.raises(Refused, match="is no file of a results folder"):
        inside(tmp_path, name)


def test_a_name_leads_through_no_link(tmp_path):
    assert inside(tmp_path, "trials/00001/result.json") == tmp_path / "trials/00001/result.json"
    (tmp_path / "trials").symlink_to("/")
    for name in ("trials", "trials/00001/result.json"):
        with pytest.raises(Refused, match="trials is a link"):
            inside(tmp_path, name)


def test_only_files_of_a_bounded_size_are_opened(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    assert read_text(tmp_path / "file", 4) == "text"
    for name, most, why in (
        ("file", 3, "at most 0 are read"),
        ("link", 4, "is a link"),
        ("pipe", 4, "no regular file"),
    ):
        with pytest.raises(Refused, match=why):
            open_file(tmp_path / name, most)
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "none")
    with pytest.raises(OSError, match=r"(?i)directory"):
        open_file(tmp_path).read()


def test_links_are_found_to_a_depth(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/link").symlink_to("nowhere")
    (tmp_path / "other").symlink_to(tmp_path)  # is not followed
    assert [*links(tmp_path)] == [tmp_path / "other"]
    assert sorted(links(tmp_path, depth=-1)) == [tmp_path / "a/b/link", tmp_path / "other"]
    assert [*links(tmp_path / "none")] == []


def test_what_is_brought_of_a_folder_is_bounded(monkeypatch):
    check_amount([1] * 10, "s3://bucket")
    monkeypatch.setattr(containment, "FOLDER_BYTES", 9)
    with pytest.raises(Refused, match=r"s3://bucket: 10 files of 0.0 GB"):
        check_amount([1] * 10, "s3://bucket")
