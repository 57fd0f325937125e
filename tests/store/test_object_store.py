"""Results at a URL, on a real S3 server: what is read, what is tried again, what is refused."""

import json
import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from typer.testing import CliRunner

from gansearch.cli.main import app
from gansearch.store import object_store as storages
from gansearch.store.containment import Refused
from gansearch.store.folder import StudyError
from gansearch.store.object_store import Storage, cache, connect, copy_folder, download, join, path_or_url
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
    monkeypatch.setattr(Storage, "save", lambda self, name, file: read.append(name) or file.write_bytes(b"new"))
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


def test_a_file_url_is_a_folder(tmp_path):
    folder = write_study(tmp_path / "a study", trials=2)
    assert len(load_study(f"file://{folder.path}").trials) == 2


def test_files_of_a_storage_that_knows_no_times_are_copied_each_time(tmp_path):
    storage = Storage("memory://bucket/without-times")
    storage.write("run.json", b"old")
    for content in (b"old", b"new"):
        storage.write("run.json", content)
        download(storage, tmp_path)
        assert (tmp_path / "run.json").read_bytes() == content


class Bucket:
    """A storage at a URL, whose listing and contents are a stranger's."""

    url = URL

    def __init__(self, **files):
        self.contents = files

    def files(self):
        return {name: (len(data), 0) for name, data in self.contents.items()}

    def save(self, name, file):
        file.write_bytes(self.contents[name])


@pytest.mark.parametrize("name", ["/etc/cron.d/a", "a//b", "a\x00", "a\\b", "http://there/a"])
def test_names_in_a_bucket_do_not_lead_out_of_the_folder(tmp_path, name):
    with pytest.raises(OSError, match="is no file of a results folder"):
        download(Bucket(**{"run.json": b"", name: b""}), tmp_path / "out")
    assert not (tmp_path / "out").exists(), "nothing is brought then"


def test_names_with_dots_are_no_results(tmp_path):
    download(
        Bucket(**{"run.json": b"1", "../a": b"1", "trials/../../a": b"1", ".url": b"s3://other"}), tmp_path / "out"
    )
    assert sorted(p.name for p in tmp_path.rglob("*")) == [".copied.json", "out", "run.json"]


@pytest.mark.parametrize("names", [{"../mine": [1, 1]}, {"HERE/mine": [1, 1]}, {"link/mine": [1, 1]}, [], {"a": 1}, 3])
def test_a_note_of_what_was_copied_removes_nothing_outside(tmp_path, names):
    out = tmp_path / "out"
    out.mkdir()
    (out / "link").symlink_to(tmp_path)
    mine = tmp_path / "mine"
    mine.write_text("mine")
    (out / storages.MANIFEST).write_text(json.dumps(names).replace("HERE", str(tmp_path)))
    with suppress(OSError):
        download(Bucket(**{"run.json": b"1"}), out)
    assert mine.read_text() == "mine"


def test_a_small_object_is_sent_in_one_request(objects, monkeypatch):
    asked, answer = [], DomainDispatcherApplication.__call__

    def noted(server, environ, start):
        asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return answer(server, environ, start)

    monkeypatch.setattr(DomainDispatcherApplication, "__call__", noted)
    storage = Storage(URL)
    storage.write("lock.json", b"{}")
    assert asked == [("PUT", "/bucket/results/ring/lock.json")]
    storage.write("large", large := b"1" * 20_000_000)  # beyond one part
    assert storage.read("large") == large


def test_an_object_is_read_to_its_bound_alone(objects):
    storage = Storage(URL)
    storage.write("a", b"12345")
    assert storage.read("a", 5) == b"12345"
    with pytest.raises(Refused, match="a is larger than"):
        storage.read("a", 4)


def test_errors_of_a_package_of_fsspecs_are_tried_again_too(objects, monkeypatch):
    class ServiceError(Exception):
        """As azure's and paramiko's, which are no OSError."""

    def answer():
        asked.append(1)
        if len(asked) % 3:
            raise ServiceError("reset by peer")
        return "here"

    asked = []
    monkeypatch.setattr(storages, "_FIRST_PAUSE", 0.001)
    storage = Storage("memory://bucket/out", patience=5.0)
    assert storage.retried(answer) == "here"
    storage.patience = 0.0
    with pytest.raises(OSError, match="ServiceError: reset by peer"):
        storage.retried(answer)
    with pytest.raises(ServiceError):
        Storage("s3://bucket/out").retried(answer)
