"""Copies in the user's cache; a folder elsewhere has no URL, whatever it says."""

import pytest

from gansearch.store import lock
from gansearch.store.cache import URL, cache, url_of
from gansearch.store.folder import Folder, as_typed
from gansearch.store.lock import read_progress
from gansearch.store.object_store import MANIFEST, is_copy

BUCKET = "s3://bucket/results/ring"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def copied(folder):
    folder.mkdir(parents=True)
    (folder / URL).write_text(BUCKET)
    (folder / MANIFEST).write_text("{}")
    return folder


def test_a_copy_has_its_url():
    folder = copied(cache("copies", BUCKET))
    assert (url_of(folder), as_typed(folder), is_copy(folder)) == (BUCKET, BUCKET, True)
    assert url_of(folder.parent) is None


def test_nobody_opens_the_url_that_a_folder_elsewhere_names(tmp_path, monkeypatch):
    folder = copied(tmp_path / "mailed")
    monkeypatch.setattr(lock, "Storage", lambda url: pytest.fail(f"opened {url}"))
    assert read_progress(Folder(folder)) == {}
    assert (url_of(folder), is_copy(folder)) == (None, False)
    assert "s3" not in str(as_typed(folder))
    other = copied(cache("copies", "s3://another"))
    assert url_of(other) is None, "the name of a copy is made of its URL"
