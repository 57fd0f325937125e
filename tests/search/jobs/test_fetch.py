"""What a fetch writes; test_submit.py has one from a real cluster."""

import pytest

from gansearch.search.errors import JobFailed
from gansearch.search.jobs import fetch as fetching
from gansearch.search.jobs.submit import Job
from gansearch.store.folder import StudyError


def test_a_fetched_name_stays_in_its_folder(tmp_path):
    for name in ("../a", "/a", "trials/../../a", ".url"):
        with pytest.raises(StudyError, match="is no file of a results folder"):
            fetching._write(tmp_path, name, b"")


def test_a_fetched_name_leads_through_no_link(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/trials").symlink_to(tmp_path)
    with pytest.raises(StudyError, match="is a link"):
        fetching._write(tmp_path / "out", "trials/a", b"")


def job(out="~/results/a"):
    class Cluster:
        url = "http://there"

    return Job(Cluster(), "a", out, "a")


def test_a_url_that_a_job_names_is_not_opened(tmp_path):
    with pytest.raises(
        StudyError, match=r"says that its results are at s3://bucket/a; .*\ngansearch fetch s3://bucket"
    ):
        fetching.fetch(job("s3://bucket/a"), tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([{"left": 3}], "sends none of them"),
        ([{"name": "a", "mtime": 1, "data": b"x" * 99}, {"left": 1}], "sends more than"),
        ([{"name": "../a", "mtime": 1, "data": b""}], "is no file of a results folder"),
    ],
)
def test_a_job_that_sends_without_end_is_refused(tmp_path, monkeypatch, entries, why):
    monkeypatch.setattr(fetching, "_read", lambda *words: iter(entries))
    monkeypatch.setattr(fetching, "FOLDER_BYTES", 50)
    with pytest.raises((StudyError, JobFailed), match=why):
        fetching.fetch(job(), tmp_path / "a")
    assert not (tmp_path.parent / "a").exists()


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"source": 5}', '{"source": "http://there ~/results/a", "mtime": []}']
)
def test_a_note_of_a_fetch_that_says_something_else_is_none(tmp_path, content):
    (tmp_path / "fetched.json").write_text(content)
    with pytest.raises(StudyError, match="not empty, and was not fetched"):
        fetching.fetch(job(), tmp_path)
