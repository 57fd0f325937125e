"""Trials of two workers each, whatever ends them: that nothing is held afterwards is seen to by tests/conftest.py."""

import signal

import pytest

from gansearch.interrupts import Interrupted
from gansearch.search.callbacks.listener import Listener
from gansearch.search.errors import SweepFailed
from gansearch.search.sweep import sweep
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import read_confirmation
from gansearch.store.folder import Folder
from gansearch.store.trial_files import read_records
from gansearch.study.analysis import race

TWO = {"cpus": 1, "workers": 2}


pytestmark = pytest.mark.usefixtures("ray_session")


@pytest.fixture
def shared(tiny, tmp_path):
    """An experiment of two workers a trial, to one of which something happens."""

    def make(does, times=1, **fields):
        plain = tiny(resources=TWO, prune=False, **{"trials": 1, **fields})
        options = {"does": does, "times": times, "turns": str(tmp_path / "turns"), "seconds": fields.get("seconds", 0)}
        return plain.model_copy(update={"task": plain.task.replace(":Tiny", ":Shared"), "task_options": options})

    return make


def test_finished_trials_leave_what_those_of_one_worker_leave(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(race, "nearest", lambda trials, top: trials["number"].tolist()[:top])
    monkeypatch.setattr(SeedResult, "healthy", True)
    fields = {"trials": 2, "replicas": 2, "prune": False}
    fields["confirm"] = {"top": 1, "replicas": 2, "default": False}
    alone = sweep(tiny(**fields), tmp_path / "alone").records
    records = sweep(tiny(**fields, resources=TWO), tmp_path / "out").records
    assert [record.status for record in records] == ["complete"] * 2
    for record, other in zip(records, alone, strict=True):
        assert record.updates == other.updates == 2 * 80
        for name in ("distance", "stability", "separability"):
            assert getattr(record, name) == pytest.approx(getattr(other, name), rel=1e-3)
    confirmed = read_confirmation(Folder(tmp_path / "out"))
    assert [run.status for run in confirmed] == ["complete"] * 2
    ones = read_confirmation(Folder(tmp_path / "alone"))
    assert [run.distance for run in confirmed] == pytest.approx([run.distance for run in ones], rel=1e-3)


def test_a_trial_beyond_hope_is_pruned(tiny, tmp_path):
    experiment = tiny(resources=TWO, trials=2)
    experiment = experiment.model_copy(update={"task": experiment.task.replace(":Tiny", ":Far")})
    records = sweep(experiment, tmp_path / "out").records
    assert [record.status for record in records] == ["pruned"] * 2
    assert all(record.updates < 80 for record in records)


@pytest.mark.parametrize("who", ["first", "other"])
def test_what_the_users_code_raises_on_one_worker_is_recorded_and_the_next_trial_runs(shared, tmp_path, who):
    first, second = sweep(shared({who: "raise"}, trials=2), tmp_path / "out").records
    assert first.status == "failed"
    assert "no such luck" in first.error
    assert "tasks.py" in first.error
    assert ("on worker 1 of 2" in first.error) == (who == "other")
    assert second.status == "complete"


@pytest.mark.parametrize("who", ["first", "other"])
def test_a_trial_whose_worker_is_killed_is_trained_again(shared, tmp_path, who):
    (record,) = sweep(shared({who: "die"}), tmp_path / "out").records
    assert record.status == "complete"


def test_a_worker_that_dies_each_time_is_recorded(shared, tmp_path):
    with pytest.raises(SweepFailed):
        sweep(shared({"other": "die"}, times=9), tmp_path / "out")
    (record,) = read_records(Folder(tmp_path / "out"))
    assert record.status == "failed"
    assert "died 3 times" in record.error
    assert "another worker of the trial died" in record.error


def test_ctrl_c_in_the_middle_of_a_trial(shared, tmp_path):
    class Impatient(Listener):
        def probes(self, number, rows):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        sweep(shared({}, seconds=8.0), tmp_path / "out", listeners=[Impatient()])


def test_ctrl_c_in_the_middle_of_a_confirmation(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(race, "nearest", lambda trials, top: trials["number"].tolist()[:top])

    class Impatient(Listener):
        def confirming(self, number, seed, result):
            if result:
                signal.raise_signal(signal.SIGINT)

    experiment = tiny(resources=TWO, trials=1, confirm={"top": 1, "replicas": 3})
    with pytest.raises(Interrupted):
        sweep(experiment, tmp_path / "out", listeners=[Impatient()])
