"""How a sweep is getting on, read from folders in all the states that a sweep can leave them in."""

import fcntl
import socket
import time
from datetime import datetime

import pytest

from gansearch.store import lock
from gansearch.store.confirmation import read_confirmation, read_default, write_confirmation, write_default
from gansearch.store.nan_json import to_json
from gansearch.study.status import lines, status
from gansearch.study.study import load_study
from tests.synthetic import write_study

PROBE = {
    **{"seed": 0, "update": 100, "p_real": 0.6, "p_fake": 0.4, "separability": 0.7, "distance": float("nan")},
    **{"saturated_right": 0.25, "saturated_wrong": 0.05},
}


@pytest.fixture
def folder(tmp_path):
    """Ten trials of a sweep that wants 40."""
    return write_study(tmp_path / "digits", trials=10, confirmed=False)


@pytest.fixture
def held(folder):
    """The lock that a sweep holds while it lives."""
    with folder.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        yield


def write_progress(folder, **fields):
    now = time.time()
    running = [
        {"number": 10, "started": now - 4, "heard": now, "updates": 100, "updates_per_second": 50.0, "probe": PROBE},
        {"number": 11, "started": now - 4, "heard": now - 4, "updates": 0, "updates_per_second": None, "probe": None},
    ]
    facts = {
        "state": "running",
        "written": now,
        "every": 2.0,
        "host": socket.gethostname(),
        "pid": 1,
        "address": None,
        "slots": 2,
        "nodes": [{"node": "10.0.0.1", "cpus": 8.0, "gpus": 2.0}],
        "used": {"CPU": 2.0, "GPU": 1.5},
        "longest_silence": 1.0,
        "running": running,
        "confirmation": {"running": 0, "done": 0},
    }
    folder.progress.write_text(to_json({**facts, **fields}))
    return {**facts, **fields}


def test_a_sweep_that_runs(folder, held):
    write_progress(folder)
    found = status(load_study(folder.path))
    facts = found.summary()
    assert facts["state"] == "running"
    assert facts["driver"]["alive"]
    assert facts["trials"]["total"] == 40
    assert sum(facts["trials"][name] for name in ("complete", "pruned", "failed")) == 10
    assert (facts["trials"]["running"], facts["trials"]["waiting"]) == (2, 28)
    assert facts["gpus"] == {"total": 2.0, "used": 1.5}
    assert facts["running"][0]["probe"]["distance"] is None
    assert facts["stuck"] == []
    assert facts["best"]["number"] == load_study(folder.path).best.number
    assert "of 40 have ended" in "\n".join(lines(found))
    # 28 trials of 8 s and two halves, two at a time; then 13 runs of 8 s: a race of six, four seeds that the winner
    # lacks, and three of the default settings
    assert found.seconds_left == pytest.approx((28 * 8 + 2 * 4) / 2 + 7 * 8, abs=0.5)
    assert datetime.fromisoformat(facts["expected_end"]).timestamp() > time.time()


def test_gpus_are_told_of_where_there_are_some(folder, held):
    write_progress(folder)
    assert status(load_study(folder.path)).summary()["gpu_hours"] is None
    assert "GPU-hours" not in "\n".join(lines(status(load_study(folder.path))))
    folder.run.write_text(to_json({"gpu_hours": 1.25}))
    probe = {**PROBE, "gpu_memory": 2.1e9, "gpu_utilisation": 0.83}
    now = time.time()
    trial = {"number": 10, "started": now - 4, "heard": now, "updates": 100, "updates_per_second": 50.0}
    write_progress(folder, running=[{**trial, "probe": probe}])
    text = "\n".join(lines(status(load_study(folder.path))))
    assert "1.2 GPU-hours of what has ended" in text
    assert "2.1 GB of its GPU, which is 83% busy" in text


def test_a_sweep_of_an_automatic_number_of_trials_has_no_total_before_they_end(folder, held):
    write_progress(folder)
    auto = load_study(folder.path).experiment.model_copy(update={"trials": "auto"})
    folder.experiment.write_text(auto.to_yaml())
    found = status(load_study(folder.path))
    assert (found.total, found.waiting, found.seconds_left) == (None, 0, None)
    assert found.summary()["trials"]["total"] is None
    assert "trials:   10 have ended" in "\n".join(lines(found))
    limited = auto.model_copy(update={"limits": auto.limits.model_copy(update={"total_hours": 0.03})})
    folder.experiment.write_text(limited.to_yaml())
    assert status(load_study(folder.path)).seconds_left == pytest.approx(108 - 44), "all of it may be used"
    write_progress(folder, state="confirming", running=[])
    assert status(load_study(folder.path)).total == 10


def test_a_sweep_is_expected_to_end_within_its_total_hours(folder, held):
    write_progress(folder)
    spec = load_study(folder.path).experiment
    limited = spec.model_copy(update={"limits": spec.limits.model_copy(update={"total_hours": 0.03})})
    folder.experiment.write_text(limited.to_yaml())
    assert status(load_study(folder.path)).seconds_left == pytest.approx(108 - 44), "44 s are used"


def test_a_trial_that_is_late_ends_at_its_own_speed_and_so_do_others(folder, held):
    now = time.time()
    late = {"number": 10, "started": now - 60, "heard": now, "updates": 3000, "updates_per_second": 50.0}
    write_progress(folder, running=[{**late, "probe": PROBE}])
    mean = (10 * 8 + 60 + 20) / 11  # ten trials of 8 s, and this one with 1,000 updates to go
    left = status(load_study(folder.path)).seconds_left
    assert left == pytest.approx((29 * mean + 20) / 2 + 7 * 80, abs=0.5)


def test_the_end_is_expected_from_running_trials_where_none_has_ended(tmp_path):
    empty = write_study(tmp_path / "empty", trials=10, confirmed=False)
    empty.trials.unlink()
    for record in empty.records.glob("*/result.json"):
        record.unlink()
    write_progress(empty, state="running")
    study = load_study(empty.path)
    with empty.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        each = study.experiment.training.updates / 50
        left = status(study).seconds_left
    assert left == pytest.approx((38 * each + 2 * (each - 4)) / 2 + 7 * each, rel=0.01)


def test_runs_on_fresh_seeds_are_counted_as_far_as_the_race_is_known(tmp_path):
    whole = write_study(tmp_path / "digits", trials=40)
    results = read_confirmation(whole)
    default = read_default(whole)
    runs = [{"number": None, "seed": default[-1].seed, "started": time.time()}]
    with whole.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        write_progress(whole, state="confirming", running=[], confirmation={"running": 1, "done": 2, "runs": runs})
        assert status(load_study(whole.path)).confirmations == 2, "what runs has ended since then"
        write_default(whole, default[:-1])
        assert status(load_study(whole.path)).confirmations == 3
        write_default(whole, [])
        assert status(load_study(whole.path)).confirmations == 5
        write_confirmation(whole, results[:1])
        assert status(load_study(whole.path)).confirmations == 2 + (6 - 2) + 3 + 3
    whole.format.unlink()  # a folder begun before there was a race
    assert status(load_study(whole.path)).confirmations == 4 * 5


def test_a_trial_that_has_ended_no_longer_runs(folder, held):
    running = write_progress(folder)["running"]
    write_progress(folder, running=[{**running[0], "number": 9}, running[1]])  # as it was some seconds ago
    found = status(load_study(folder.path))
    assert [one["number"] for one in found.running] == [11]
    assert found.summary()["trials"]["waiting"] == 29


def test_workers_that_start(folder, held):
    told, silent = write_progress(folder)["running"]
    assert not status(load_study(folder.path)).starting
    write_progress(folder, running=[silent])
    assert not status(load_study(folder.path)).starting  # trials have ended
    began = load_study(folder.path).trials["ended"].max().timestamp()
    write_progress(folder, running=[silent], began=began)  # a sweep that goes on
    found = status(load_study(folder.path))
    assert found.starting
    assert "; workers are starting)" in "\n".join(lines(found))
    write_progress(folder, running=[told, silent], began=began)
    assert not status(load_study(folder.path)).starting
    write_progress(folder, running=[], began=began, state="finished")
    assert not status(load_study(folder.path)).starting


def test_a_trial_that_does_not_report_is_stuck(folder, held):
    now = time.time()
    silent = {"number": 17, "started": now - 900, "heard": now - 300, "updates": 5, "updates_per_second": 1.0}
    write_progress(folder, running=[{**silent, "probe": PROBE}], longest_silence=10.0)
    found = status(load_study(folder.path))
    assert found.summary()["stuck"] == [17]
    assert "warning:  trial 17 has not reported for 5 min 0 s" in list(lines(found))
    write_progress(folder, running=[{**silent, "probe": PROBE}], patience=600.0, left_out={"10.0.0.9": "is bad"})
    told = list(lines(status(load_study(folder.path))))
    assert "warning:  trial 17 has not reported for 5 min 0 s; after 10 min 0 s its worker is ended" in told
    assert "warning:  node 10.0.0.9 gets no trials: it is bad" in told
    write_progress(folder, running=[{**silent, "probe": PROBE}], longest_silence=70.0)
    assert status(load_study(folder.path)).stuck == []


@pytest.mark.parametrize("address", [None, "10.0.0.1:6379"])
def test_a_driver_that_died_on_this_machine(folder, address):
    write_progress(folder, address=address)
    found = status(load_study(folder.path))
    assert found.state == "died"
    assert (found.running, found.seconds_left, found.waiting) == ([], None, 30)
    joined = f" --address {address}" if address else ""
    assert found.next == f"gansearch sweep {folder.experiment} --out {folder.path}{joined} --resume"
    assert "its driver died" in next(lines(found))


def test_a_driver_elsewhere_lives_while_it_writes(folder, monkeypatch, pretend):
    monkeypatch.setattr(lock, "_BEATS", 0.25)
    write_progress(folder, host="elsewhere")
    assert status(load_study(folder.path)).state == "running"
    facts = write_progress(folder, host="elsewhere", written=time.time() - 3600)
    assert status(load_study(folder.path)).state == "died"

    def beat(seconds):  # its clock is an hour behind ours
        folder.progress.write_text(to_json({**facts, "written": facts["written"] + 2}))

    pretend(lock, sleep=beat)
    assert status(load_study(folder.path)).state == "running"


def test_results_that_were_fetched_are_shown_as_they_were(folder):
    write_progress(folder, host="elsewhere", written=time.time() - 3600)
    folder.fetched.write_text("{}")
    found = status(load_study(folder.path))
    assert found.state == "running"
    assert "heard 1 h 0 min ago" in next(lines(found))


def test_a_storage_that_is_away_is_a_warning(folder, held):
    write_progress(folder, storage="s3://bucket/a does not answer")
    assert "warning:  s3://bucket/a does not answer" in lines(status(load_study(folder.path)))


def test_sweeps_that_are_over(folder):
    write_progress(folder, state="stopped", running=[])
    assert status(load_study(folder.path)).next.endswith("--resume")
    write_progress(folder, state="finished", running=[])
    found = status(load_study(folder.path))
    assert (found.waiting, found.next) == (0, f"gansearch export {folder.path} -o best.yaml")


def test_a_folder_without_progress(folder, tmp_path):
    assert status(load_study(folder.path)).state == "stopped"
    whole = write_study(tmp_path / "whole", trials=40)
    found = status(load_study(whole.path))
    assert found.state == "finished"
    assert found.summary()["driver"]["heard"] is None
    with whole.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        assert status(load_study(whole.path)).state == "running"
        assert status(load_study(whole.path)).summary()["expected_end"] is None
