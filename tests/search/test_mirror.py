"""A sweep whose results lie on a real S3 server: killed, with the server away, gone on with from another machine."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from optuna.trial import TrialState

from gansearch.search import mirror
from gansearch.search.errors import SweepError, SweepFailed
from gansearch.search.mirror import mirrored
from gansearch.search.sampling.searcher import open_study
from gansearch.store.object_store import Storage, cache
from gansearch.store.trial_files import read_record
from gansearch.study.study import load_study

URL = "s3://bucket/runs/tiny"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(mirror, "EVERY", 0.1)
    monkeypatch.setattr(mirror, "BEAT", 0.1)
    monkeypatch.setattr(mirror, "_SILENCE", 1.5)
    monkeypatch.setattr(mirror, "_SETTLE", 0.3)


def begun(folder, experiment):
    """A results folder as a sweep begins it."""
    folder.create(experiment)
    folder.journal.touch()


def test_records_are_sent_before_the_study_that_knows_of_them(objects, make_tiny, monkeypatch):
    written: list[str] = []
    write = Storage.write
    monkeypatch.setattr(Storage, "write", lambda self, name, data: (written.append(name), write(self, name, data)))
    with mirrored(URL) as folder:
        begun(folder, make_tiny())
        for name in ("progress.json", "run.json", "trials/00000/curves.parquet", "trials/00000/result.json"):
            (folder.path / name).parent.mkdir(exist_ok=True)
            (folder.path / name).write_text("{}")
        (folder.path / "trials" / "ray").mkdir()
        (folder.path / "trials" / "ray" / "state").touch()
        (folder.path / ".progress.json.123").touch()
    sent = [name for name in written if name != "lock.json"]
    assert sent[-1] == "progress.json"
    assert sent.index("trials/00000/curves.parquet") < sent.index("trials/00000/result.json")
    assert max(sent.index("trials/00000/result.json"), sent.index("experiment.yaml")) < sent.index("study.journal")
    assert sorted(Storage(URL).files()) == sorted(sent)  # each once, and the lock is gone


def test_a_large_file_is_sent_again_only_after_it_has_grown(objects, make_tiny, monkeypatch, pretend):
    written: list[int] = []
    write = Storage.write

    def counted(self, name, data):
        if name == "study.journal":
            written.append(len(data))
        write(self, name, data)

    monkeypatch.setattr(Storage, "write", counted)
    storage = Storage(URL)
    folder = mirror.Mirrored(tmp := Path(os.environ["XDG_CACHE_HOME"]) / "large", storage)
    tmp.mkdir(parents=True)
    begun(folder, make_tiny())
    sending, now = mirror._Mirror(storage, folder, lock=None), [0.0]
    pretend(mirror, monotonic=lambda: now[0])

    def sent(megabytes, **how):
        folder.journal.write_bytes(b"1" * int(megabytes * 1e6))
        sending._pass(**how)
        return bool(written) and written[-1] == int(megabytes * 1e6)

    assert sent(0.5)
    assert sent(0.51)  # a small one always
    assert sent(4)
    assert not sent(4.3)
    assert sent(4.5)
    assert not sent(4.6)
    now[0] = 61
    assert sent(4.6)
    assert not sent(4.7)
    assert sent(4.7, everything=True)


def test_a_sweep_killed_on_this_machine_goes_on_from_its_folder_unless_another_went_on(objects, make_tiny):
    with mirrored(URL) as folder:
        begun(folder, make_tiny())
        folder.journal.write_text("1\n2\n")
    folder.journal.write_text("1\n2\n3\n")  # more than was sent before the kill
    with mirrored(URL) as folder:
        assert folder.journal.read_text() == "1\n2\n3\n"
    assert Storage(URL).read("study.journal") == b"1\n2\n3\n"
    Storage(URL).write("study.journal", b"1\n2\nanother\n")
    with mirrored(URL) as folder:
        assert folder.journal.read_text() == "1\n2\nanother\n"


def test_what_never_reached_its_url_is_kept_and_what_was_removed_there_is_not(objects, make_tiny, monkeypatch):
    def away(self, name, data):
        raise OSError("away")

    def swept():
        with mirrored(URL) as folder:
            begun(folder, make_tiny())
            folder.journal.write_text("1\n")
            monkeypatch.setattr(Storage, "write", away)

    write = Storage.write
    with pytest.raises(SweepFailed, match="--resume on this machine sends it"):
        swept()
    monkeypatch.setattr(Storage, "write", write)
    with mirrored(URL) as folder:
        assert folder.journal.read_text() == "1\n"
    storage = Storage(URL)
    assert storage.read("study.journal") == b"1\n"
    for name in storage.files():
        storage.delete(name)
    with mirrored(URL) as folder:
        assert not folder.is_ours


def test_a_url_with_something_else_is_refused_and_left_alone(objects):
    Storage(URL).write("photo.jpg", b"1")
    with pytest.raises(SweepError, match=f"{URL}: is not empty and not a results folder"):
        mirrored(URL).__enter__()
    assert sorted(Storage(URL).files()) == ["photo.jpg"]


def test_a_storage_that_does_not_answer_before_the_sweep_begins_is_told_in_a_sentence(objects, monkeypatch):
    def away(storage, below=""):
        raise OSError("AWS Error NETWORK_CONNECTION during ListObjectsV2 operation")

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "files", away)
        with pytest.raises(SweepError, match=rf"--out {URL}: cannot be read.*NETWORK_CONNECTION"), mirrored(URL):
            pass
    assert not Storage(URL).files(), "its lock is gone"


def test_only_one_sweep_writes(objects, make_tiny, caplog):
    storage = Storage(URL)
    with mirrored(URL) as folder:
        begun(folder, make_tiny())
        with pytest.raises(SweepError, match=rf"{URL}: another sweep is writing to it \(process {os.getpid()} on"):
            mirrored(URL).__enter__()
    storage.write("lock.json", json.dumps({"id": "a", "host": "elsewhere", "pid": 7, "beat": 0}).encode())
    with mirrored(URL):
        assert "its last driver, process 7 on elsewhere, died" in caplog.text


def test_of_two_sweeps_that_begin_at_the_same_time_one_is_refused(objects, make_tiny, monkeypatch):
    both, read = threading.Barrier(2), mirror._Lock._read

    def read_together(lock):
        other = read(lock)
        if lock not in seen:
            seen.add(lock)
            both.wait(10)
        return other

    def held():
        with mirrored(URL) as folder:
            begun(folder, make_tiny())
            time.sleep(1.0)

    seen = set()
    monkeypatch.setattr(mirror._Lock, "_read", read_together)
    with ThreadPoolExecutor(2) as pool:
        errors = [future.exception() for future in [pool.submit(held), pool.submit(held)]]
    assert sorted(type(error).__name__ for error in errors) == ["NoneType", "SweepError"]
    assert sorted(Storage(URL).files()) == ["experiment.yaml", "format.json", "study.journal"]


def test_a_sweep_whose_lock_was_taken_over_by_one_that_has_ended_stops_writing_too(objects, make_tiny):
    def held():
        with mirrored(URL) as folder:
            begun(folder, make_tiny())
            time.sleep(1.0)
            Storage(URL).write("study.journal", b"another's")
            for _ in range(100):
                Storage(URL).delete("lock.json")  # again where ours was about to write it
                time.sleep(0.1)

    with pytest.raises(SweepFailed, match="another sweep, which has ended, has taken it over"):
        held()
    assert Storage(URL).read("study.journal") == b"another's"


def test_a_sweep_whose_lock_was_taken_over_stops_writing(objects, make_tiny, monkeypatch):
    interrupted: list[int] = []
    monkeypatch.setattr(mirror.os, "kill", lambda pid, number: interrupted.append(number))
    opened = mirrored(URL)
    begun(opened.__enter__(), make_tiny())
    deadline = time.monotonic() + 30
    while not interrupted:  # one that is written while ours has read its own is overwritten once
        Storage(URL).write("lock.json", json.dumps({"id": "a", "host": "elsewhere", "pid": 7}).encode())
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(SweepFailed, match=r"another sweep \(process 7 on elsewhere\) has taken it over"):
        opened.__exit__(None, None, None)
    assert interrupted == [signal.SIGINT]
    assert Storage(URL).read("lock.json")


@pytest.fixture
def start():
    """Start a sweep in a process of its own, which is killed at the end of the test if it still runs."""
    processes = []

    def sweep(file: Path, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.search.driver", "sweep", str(file), "--out", URL, "--quiet", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "RAY_AUTH_MODE": "disabled", "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        processes.append(process)
        return process

    yield sweep
    for process in processes:
        process.kill()


def wait(process, until):
    deadline = time.monotonic() + 240
    while not until():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.2)  # each look asks the server, which is a thread of this process


@pytest.mark.ray
def test_a_sweep_killed_after_the_server_was_away_is_resumed_on_another_machine(
    objects, start, make_tiny, tmp_path, monkeypatch
):
    (tmp_path / "turns").mkdir()
    experiment = make_tiny(tmp_path / "turns", seconds=1.0, trials=4, checkpoints={"seconds": 0.1})
    tasks = str(experiment.task).replace(":Tiny", ":Saved")
    (tmp_path / "tiny.yaml").write_text(experiment.model_copy(update={"task": tasks}).to_yaml())
    storage = Storage(URL, patience=60)
    first = start(tmp_path / "tiny.yaml")
    wait(first, lambda: any(name.endswith("result.json") for name in storage.files()))
    with objects.away():  # until the sweep has noticed
        wait(first, lambda: json.loads((cache("sweeps", URL) / "progress.json").read_text())["storage"])
    wait(first, lambda: any("checkpoint_" in name for name in storage.files()))
    first.kill()
    first.wait()
    known = {n: storage.read(n) for n in storage.files() if n.endswith("result.json")}

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    second = start(tmp_path / "tiny.yaml", "--resume")
    printed = second.stdout.read()
    assert second.wait(timeout=240) == 0, printed
    assert "died; going on from what it left" in printed
    study = load_study(URL)
    assert study.trials["status"].tolist() == ["complete"] * 4, study.trials["error"].tolist()
    assert {name: storage.read(name) for name in known} == known
    trials = open_study(study.folder, study.experiment).trials
    assert [t.number for t in trials if t.state is TrialState.COMPLETE] == study.trials["number"].tolist()
    assert not [n for n in storage.files() if "checkpoint_" in n or n == "lock.json"]


@pytest.mark.ray
def test_a_killed_population_is_resumed_on_another_machine(objects, start, make_tiny, tmp_path, monkeypatch):
    """Its members have to read each other's checkpoints at the URL."""
    (tmp_path / "turns").mkdir()
    sampler = {"name": "pbt", "perturbation_interval": 20, "quantile_fraction": 0.5}
    experiment = make_tiny(tmp_path / "turns", seconds=4.0, sampler=sampler, trials=2)
    (tmp_path / "tiny.yaml").write_text(experiment.to_yaml())
    storage = Storage(URL)
    first = start(tmp_path / "tiny.yaml")
    wait(first, lambda: sum("checkpoint_" in name for name in storage.files()) >= 4)
    first.kill()
    first.wait()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    second = start(tmp_path / "tiny.yaml", "--resume")
    printed = second.stdout.read()
    assert second.wait(timeout=240) == 0, printed
    study = load_study(URL)
    assert study.trials["status"].tolist() == ["complete"] * 2, study.trials["error"].tolist()
    assert set(study.trials["updates"]) == {80}
    assert max(len(read_record(study.folder, number).schedule) for number in study.trials["number"]) > 1
    assert not [name for name in storage.files() if "checkpoint_" in name]
