"""Results at a URL, on a real S3 server: what is read, what is tried again, what is refused."""

import logging
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gansearch.cli.main import app
from gansearch.store import object_store as storages
from gansearch.store.folder import StudyError
from gansearch.store.object_store import Storage, cache, connect, copy_folder, join, path_or_url
from gansearch.study.study import load_study
from tests.synthetic import write_study

URL = "s3://bucket/results/ring"


def send(folder: Path, url: str = URL) -> Storage:
    storage = Storage(url)
    for path in folder.rglob("*"):
        if path.is_file():
            storage.write(path.relative_to(folder).as_posix(), path.read_bytes())
    return storage


def test_a_study_at_a_url_is_copied_and_updated(objects, tmp_path, monkeypatch):
    folder = write_study(tmp_path / "ring")
    storage = send(folder.path)
    study = load_study(URL)
    assert study.trials.equals(load_study(folder.path).trials)
    result = CliRunner().invoke(app, ["status", URL])
    assert result.exit_code == 0, result.output
    assert f"{URL}: " in result.output
    assert f"gansearch export {URL} -o" in result.output

    read: list[str] = []
    monkeypatch.setattr(Storage, "read", lambda self, name="": read.append(name) or b"new")
    storage.write("run.json", b"new")
    for _ in range(2):
        storage.delete("best.yaml")
    here = copy_folder(URL)
    assert (read, (here / "run.json").read_bytes()) == (["run.json"], b"new")
    assert not (here / "best.yaml").exists()


def test_a_storage_that_is_away_is_tried_again_and_that_is_logged(objects, monkeypatch, caplog):
    monkeypatch.setattr(storages, "_FIRST_PAUSE", 0.1)
    storage = Storage(URL, patience=60)
    storage.write("a", b"1")
    with caplog.at_level(logging.WARNING):
        with objects.away():
            late = threading.Thread(target=storage.write, args=("b", b"2"))
            late.start()
            deadline = time.monotonic() + 30
            while not storage.trouble:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert storage.trouble.startswith(f"{URL} does not answer and is tried again: ")
        late.join(30)
    assert (storage.read("b"), storage.trouble) == (b"2", "")
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["s3", f"{URL} answers again"[:2]]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://key:hidden@bucket/a", "s3://bucket/a: secrets do not belong into an address"),
        ("s3://bucket/a?secret_key=hidden", "s3://bucket/a: secrets do not belong into an address"),
        ("foo://bucket/a", "there is no storage foo://"),
        ("s3://bucket/none", "s3://bucket/none: no such results folder"),
    ],
)
def test_what_is_refused_and_no_secret_is_printed(objects, url, message):
    result = CliRunner().invoke(app, ["report", url])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert "hidden" not in result.stderr


def test_a_storage_that_is_not_there_is_refused_at_once(monkeypatch):
    class Away:
        def get_file_info(self, path):
            raise OSError("When getting 'a': AWS Error NETWORK_CONNECTION: none (Request ID: 3); Details: long")

    monkeypatch.setattr(storages, "_filesystem", lambda url: (Away(), "bucket/results/ring"))
    with pytest.raises(StudyError, match=rf"{URL}: cannot be reached \(AWS Error NETWORK_CONNECTION: none\)$"):
        connect(URL)


def test_urls_paths_and_their_caches(monkeypatch, tmp_path):
    assert path_or_url("file:///data/a") == Path("/data/a")
    assert path_or_url("a/b") == Path("a/b")
    assert path_or_url(URL) == URL
    assert join(f"{URL}/?region=x", "trials/1") == f"{URL}/trials/1?region=x"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache("copies", URL) == cache("copies", URL + "/")
    assert cache("copies", URL) != cache("copies", f"{URL}?endpoint_override=x")
