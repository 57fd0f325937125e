"""What is recorded of a trial that the whole sweeps of test_sweep.py do not show."""

import sys
from datetime import UTC, datetime, timedelta
from importlib.machinery import ModuleSpec
from types import SimpleNamespace

import pytest

from gansearch.search.callbacks.listener import Listeners
from gansearch.search.gpu_use import GpuUse
from gansearch.search.recorder import Recorder, describe_run
from gansearch.search.worker.run import Ending
from gansearch.store.folder import Folder
from gansearch.store.trial_files import CURVE_COLUMNS

TRIAL = SimpleNamespace(config={"number": 0, "params": {}})


@pytest.fixture
def recorder(tmp_path, make_tiny):
    folder = Folder(tmp_path)
    folder.records.mkdir()
    searcher = SimpleNamespace(tell=lambda record: None)
    return Recorder(
        folder,
        make_tiny(),
        searcher,
        Listeners([]),
        None,
        GpuUse(),
        "2 CPUs",
        [],
        failure=lambda trial: "the worker died",
    )


def rows(*updates, seeds=(0, 1)):
    return [{**dict.fromkeys(CURVE_COLUMNS, 0.0), "seed": seed, "update": n} for seed in seeds for n in updates]


def test_what_a_trial_did_before_it_failed_was_work(recorder):
    now = datetime.now(UTC)
    recorder.on_trial_start(TRIAL)
    recorder.on_trial_result(TRIAL, {"rows": rows(20, 40)})
    failed = Ending([], None, now - timedelta(seconds=9), now, "192.0.2.9", "RuntimeError: in the middle")
    recorder.on_trial_result(TRIAL, {"rows": [], "ending": failed})
    (record,) = recorder.records
    assert (record.status, record.updates, record.train_seconds) == ("failed", 80, 9.0)


def test_the_rows_of_a_copy_are_the_whole_of_it(recorder):
    recorder.on_trial_start(TRIAL)
    recorder.on_trial_result(TRIAL, {"rows": rows(20, 40)})
    recorder.on_trial_result(TRIAL, {"rows": rows(10, seeds=[0]), "is_copy": True})
    recorder.on_trial_error(TRIAL)
    (record,) = recorder.records
    assert (record.updates, record.error) == (10, "the worker died")


def test_what_is_reported_after_the_ending_is_ignored(recorder):
    recorder.on_trial_start(TRIAL)
    recorder.on_trial_error(TRIAL)
    recorder.on_trial_result(TRIAL, {"rows": rows(20), "ending": Ending([], None, None, datetime.now(UTC), "", "late")})
    recorder.on_trial_error(TRIAL)
    (record,) = recorder.records
    assert record.error == "the worker died"


def test_a_trial_whose_worker_could_not_begin_is_recorded_once(recorder):
    recorder.on_trial_error(TRIAL)
    recorder.on_trial_error(TRIAL)
    (record,) = recorder.records
    assert (record.status, record.error, record.updates) == ("failed", "the worker died", 0)


@pytest.mark.parametrize(
    ("program", "package", "command"),
    [
        ("/usr/bin/gansearch", None, "gansearch sweep 'my file.yaml'"),
        ("/usr/lib/gansearch/__main__.py", "gansearch", "python -m gansearch sweep 'my file.yaml'"),
    ],
)
def test_the_command_of_a_run_can_be_given_again(monkeypatch, program, package, command):
    monkeypatch.setattr(sys, "argv", [program, "sweep", "my file.yaml"])
    spec = package and ModuleSpec(f"{package}.__main__", None)
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=spec))
    assert describe_run("2 CPUs")["command"] == command
