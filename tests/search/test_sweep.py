"""Whole sweeps of a tiny task: endings, refusals, interruption and going on."""

import json
import shutil
import signal
import sys
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from optuna.trial import TrialState

from gansearch import api
from gansearch.experiment import Choices, Experiment, ExperimentError
from gansearch.gan import TaskError, Trainer, load_task
from gansearch.interrupts import Interrupted
from gansearch.search.callbacks.listener import Listener
from gansearch.search.errors import SweepError, SweepFailed
from gansearch.search.sampling.searcher import open_study
from gansearch.search.sampling.total_time import TotalTime
from gansearch.search.sweep import sweep
from gansearch.stability.result import SeedResult
from gansearch.stability.verdict import SCORE_VERSION
from gansearch.store.confirmation import read_confirmation, read_default, write_default
from gansearch.store.folder import Folder, StudyError
from gansearch.store.nan_json import from_json, to_json
from gansearch.store.record import trial_columns
from gansearch.store.samples import read_real, read_samples
from gansearch.store.trial_files import CURVE_COLUMNS, read_record
from gansearch.study.analysis import race


class Log(Listener):
    """Remembers what it is told; sends this process a Ctrl-C when `interrupt_after` trials have ended."""

    def __init__(self, interrupt_after=None):
        self.interrupt_after = interrupt_after
        self.events, self.rows, self.records = [], [], []

    def begin(self, experiment, folder, slots, done):
        self.events.append(("begin", slots, done))

    def started(self, number, params):
        self.events.append(("started", number))

    def probes(self, number, rows):
        self.rows += rows

    def ended(self, record, in_turn):
        self.records.append(record)
        if len(self.records) == self.interrupt_after:
            signal.raise_signal(signal.SIGINT)

    def confirming(self, number, seed, result):
        self.events.append(("confirming", number, seed, result and result.status))

    def close(self):
        self.events.append(("close",))


class Bad(Listener):
    """Raises at the first trial that ends, and would be told of others."""

    times = 0

    def ended(self, record, in_turn):
        self.times += 1
        raise RuntimeError("my screen broke")


class Second(Listener):
    """Tries to sweep into a folder that is being swept into."""

    def __init__(self, experiment, out):
        self.experiment, self.out = experiment, out
        self.error = ""

    def begin(self, experiment, folder, slots, done):
        try:
            sweep(self.experiment, self.out, resume=True)
        except StudyError as error:
            self.error = str(error)


def entries(path, experiment):
    return open_study(Folder(path), experiment).trials


def table(path):
    return pd.read_parquet(Folder(path).trials)


@pytest.fixture(scope="module")
def candidates():
    """The complete trials are worth confirming here, whatever the verdict on a GAN of a few weights."""

    def complete(trials, top):
        return sorted(trials.query("status == 'complete'")["number"])[:top]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(race, "nearest", complete)
        patch.setattr(SeedResult, "healthy", True)
        yield


@pytest.fixture(scope="module")
def finished(ray_session, candidates, make_tiny, tmp_path_factory):
    """A sweep of eight trials, of which four go wrong, with two seeds each, two slots and a confirmation."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "turns").mkdir()
    does = {"1": "raise", "2": "nan", "3": "memory", "4": "leave"}
    experiment = make_tiny(folder / "turns", does, trials=8, replicas=2, confirm={"top": 1, "replicas": 2})
    log, bad, second = Log(), Bad(), Second(experiment, folder / "out")
    swept = sweep(experiment, folder / "out", listeners=[bad, second, log])
    return SimpleNamespace(experiment=experiment, path=swept.path, ran=swept.ran, log=log, bad=bad, second=second)


def test_the_tables_are_those_of_the_contract(finished):
    trials = table(finished.path)
    assert list(trials.columns) == trial_columns(finished.experiment.search)
    assert trials["number"].tolist() == list(range(8))
    assert finished.ran == 8
    complete = trials[trials["status"] == "complete"]
    assert len(complete) == 4
    assert (complete["ended"] > complete["started"]).all()
    assert (complete["updates"] == 2 * 80).all()
    assert (complete["node"] != "").all()
    curves = pd.read_parquet(Folder(finished.path).curves)
    assert list(curves.columns) == list(CURVE_COLUMNS)
    assert not curves.duplicated(["number", "seed", "update"]).any()
    seeds = curves.groupby("number")["seed"].unique().map(sorted)
    assert all(seeds[number] == [0, 1] for number in complete["number"])
    assert len(finished.log.rows) == len(curves)


def test_what_goes_wrong_is_recorded_with_its_error(finished):
    failed = table(finished.path).query("status == 'failed'")
    assert len(failed) == 4
    assert failed["error"].str.len().gt(0).all()
    for text in ("RuntimeError: no such luck", "MemoryError: no memory left", "SystemExit"):
        assert failed["error"].str.contains(text).sum() == 1, text
    assert (failed["verdict"] == "diverged").sum() == 1
    assert "tasks.py" in failed[failed["error"].str.contains("no such luck")]["error"].item()


def test_what_a_task_says_of_its_data_is_told_and_of_its_samples_is_kept(ray_session, tiny, tmp_path, caplog):
    plain = tiny(trials=1)
    telling = plain.model_copy(update={"task": plain.task.replace(":Tiny", ":Telling")})
    sweep(telling, tmp_path / "out")
    assert [record.getMessage() for record in caplog.records] == ["warning: one of 201 points was left out"]
    kept, real = read_samples(Folder(tmp_path / "out"), 0), read_real(Folder(tmp_path / "out"))
    assert (kept.kind, real.kind) == ("audio", "audio")
    assert (kept.array.shape, real.array.shape) == ((64, 2), (40, 2))


def test_the_study_agrees_with_the_table(finished):
    trials, study = table(finished.path), entries(finished.path, finished.experiment)
    assert [t.params["lr"] for t in study] == trials["lr"].tolist()
    for entry, row in zip(study, trials.itertuples(), strict=True):
        assert entry.state is TrialState.COMPLETE
        assert entry.constraints == {"failed": float(row.status == "failed")}
        assert entry.user_attrs["status"] == row.status
        if row.status == "complete":
            assert entry.values == pytest.approx([row.distance])


def test_the_run_is_described(finished):
    trials, run = table(finished.path), from_json(Folder(finished.path).run.read_text())
    span = (trials["ended"].max() - trials["started"].min()).total_seconds()
    assert run["slots"] == 2
    assert run["wall_seconds"] == pytest.approx(span)
    assert set(run["versions"]) == {"gansearch", "python", "ray", "optuna", "torch"}
    assert run["score"] == [SCORE_VERSION]
    assert "CPU" in run["hardware"]
    assert "ray.air.integrations.mlflow" not in sys.modules  # nobody asked for a tracker


def test_listeners_are_told_and_none_can_lose_a_trial(finished):
    log = finished.log
    assert log.events[0] == ("begin", 2, 0)
    assert log.events[-1] == ("close",)
    assert sorted(e[1] for e in log.events if e[0] == "started") == list(range(8))
    assert finished.bad.times == 1
    folder = Folder(finished.path)
    for record in log.records:
        assert to_json(read_record(folder, record.number).as_dict()) == to_json(record.as_dict())
    assert len(log.records) == 8


def test_two_sweeps_cannot_write_to_one_folder(finished):
    assert "another sweep is writing" in finished.second.error


def test_confirmation_uses_fresh_seeds_and_is_not_repeated(finished, tmp_path):
    first = read_confirmation(Folder(finished.path))
    assert sorted(entry.seed for entry in first) == [10_000, 10_001]
    assert {entry.number for entry in first} <= set(table(finished.path)["number"])
    shutil.copytree(finished.path, tmp_path / "out")
    log, more = Log(), finished.experiment.confirm.model_copy(update={"replicas": 3})
    experiment = finished.experiment.model_copy(update={"confirm": more})
    assert sweep(experiment, tmp_path / "out", resume=True, listeners=[log]).ran == 0
    (number,) = {entry.number for entry in first}
    started = {e[1:3] for e in log.events if e[0] == "confirming" and e[3] is None}
    assert started == {(number, 10_002), (None, 10_002)}
    assert read_confirmation(Folder(tmp_path / "out"))[:2] == first


def test_the_default_settings_are_trained_on_the_same_seeds(finished, tmp_path):
    folder = Folder(finished.path)
    found = read_default(folder)
    assert [entry.seed for entry in found] == [10_000, 10_001]
    number = read_confirmation(folder)[0].number
    shapes = [read_samples(folder, one, confirmed=True).array.shape for one in (None, number)]
    assert shapes[0] == shapes[1]
    task, training = load_task(finished.experiment.task, finished.experiment.task_options), finished.experiment.training
    trainer = Trainer(task, training, seed=10_001)
    for _ in trainer.run():
        pass
    assert found[1].distance == pytest.approx(trainer.result().distance)
    # What somebody left there is no pair to the candidates; what is wanted no more is not trained.
    shutil.copytree(finished.path, tmp_path / "out")
    other = Folder(tmp_path / "out")
    write_default(other, [replace(found[0], seed=20_000)])
    unwanted = finished.experiment.confirm.model_copy(update={"default": False})
    log = Log()
    sweep(finished.experiment.model_copy(update={"confirm": unwanted}), other.path, resume=True, listeners=[log])
    assert log.events == [("begin", 0, 8), ("close",)]
    sweep(finished.experiment, other.path, resume=True)
    assert sorted(entry.seed for entry in read_default(other)) == [10_000, 10_001]


def test_confirmation_may_take_a_longer_budget(finished, tmp_path):
    shutil.copytree(finished.path, tmp_path / "out")
    longer = finished.experiment.training.updates * 2
    confirmed = finished.experiment.confirm.model_copy(update={"updates": longer})
    experiment = finished.experiment.model_copy(update={"confirm": confirmed})
    sweep(experiment, tmp_path / "out", resume=True)
    entries = read_confirmation(Folder(tmp_path / "out"))
    assert sorted((entry.seed, entry.updates) for entry in entries) == [(10_000, longer), (10_001, longer)]


def test_a_finished_sweep_says_so(finished):
    log = Log()
    assert sweep(finished.experiment, finished.path, resume=True, listeners=[log]).ran == 0
    assert log.events == [("begin", 0, 8), ("close",)]


def test_what_a_driver_left_that_died_with_nothing_left_to_do_is_brought_to_its_end(finished, tmp_path):
    copied = shutil.copytree(finished.path, tmp_path / "copied")
    facts = json.loads((copied / "progress.json").read_text())
    (copied / "progress.json").write_text(json.dumps({**facts, "state": "confirming"}))
    fewer = finished.experiment.model_copy(update={"trials": 7, "confirm": None})
    assert sweep(fewer, copied, resume=True).ran == 0
    assert json.loads((copied / "progress.json").read_text()) == {**facts, "state": "finished"}
    assert Experiment.load(copied / "experiment.yaml").trials == 7


def test_a_finished_sweep_takes_a_wider_space(finished, tmp_path):
    copied = shutil.copytree(finished.path, tmp_path / "copied")
    search = {**finished.experiment.search, "batch_size": Choices(choices=[16, 32])}
    wider = Experiment(**{**finished.experiment.model_dump(exclude_unset=True), "search": search})
    assert sweep(wider, copied, resume=True, allow_change=True).ran == 0


def test_what_exists_is_refused_and_left_alone(finished, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    before = {p: p.stat().st_mtime_ns for folder in (tmp_path, finished.path) for p in folder.rglob("*")}
    other = finished.experiment.training.model_copy(update={"updates": 160})
    longer = finished.experiment.model_copy(update={"training": other})
    lr = finished.experiment.search["lr"].model_copy(update={"high": 0.1})
    wider = finished.experiment.model_copy(update={"search": {**finished.experiment.search, "lr": lr}})
    wrong = {
        "--resume": (finished.experiment, finished.path, False),
        "not a results folder": (finished.experiment, tmp_path / "other", True),
        "not a folder": (finished.experiment, tmp_path / "file", False),
        "cannot be written": (finished.experiment, tmp_path / "file" / "below", False),
        "File name too long": (finished.experiment, tmp_path / ("x" * 300), False),
        "training.updates: 80 → 160": (longer, finished.path, True),
        "search.lr.high: 0.01 → 0.1": (wider, finished.path, True),
    }
    for message, (experiment, out, resume) in wrong.items():
        with pytest.raises((SweepError, StudyError)) as error:
            sweep(experiment, out, resume=resume)
        assert message in str(error.value)
    after = {p: p.stat().st_mtime_ns for folder in (tmp_path, finished.path) for p in folder.rglob("*")}
    assert after == before


def test_wrong_input_writes_nothing(ray_session, tiny, tmp_path):
    wrong = [
        (tiny({"0": "raise"}), TaskError, "no such luck"),
        (tiny(task="nonsense", task_options={}), TaskError, "nonsense"),
        (tiny(resources={"gpus": 1.0}), SweepError, "no GPU"),
        (tiny(resources={"cpus": 64}), SweepError, "fits on no node"),
        (tiny(search={"spectral_norm": {"low": 0, "high": 1}}), ExperimentError, "search.spectral_norm"),
    ]
    for experiment, kind, message in wrong:
        with pytest.raises(kind, match=message):
            sweep(experiment, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_a_worker_that_dies_is_retried_and_then_recorded(ray_session, tiny, tmp_path):
    # The first of two trials dies as often as is allowed and once more; the second dies once.
    first, second = sweep(tiny({str(n): "die" for n in (1, 2, 3, 4)}, trials=2), tmp_path / "out").records
    assert first.status == "failed"
    assert "worker died 3 times" in first.error
    assert second.status == "complete"
    assert second.error == ""


def test_every_trial_failed(ray_session, tiny, tmp_path):
    with pytest.raises(SweepFailed, match="no such luck") as failure:
        sweep(tiny({str(n): "raise" for n in range(1, 9)}, trials=3), tmp_path / "out")
    assert failure.value.folder == tmp_path / "out"
    assert len(table(tmp_path / "out")) == 3


def test_ctrl_c_keeps_what_is_finished_and_resume_ends_with_the_exact_count(ray_session, tiny, tmp_path):
    experiment = tiny(seconds=0.4, trials=5, limits={})
    log = Log(interrupt_after=1)
    with pytest.raises(Interrupted) as stop:
        sweep(experiment, tmp_path / "out", listeners=[log])
    assert stop.value.folder == tmp_path / "out"
    assert log.events[-1] == ("close",)
    kept = table(tmp_path / "out")
    assert set(kept["number"]) == {record.number for record in log.records}
    left = [t for t in entries(tmp_path / "out", experiment) if t.state is TrialState.RUNNING]
    assert left, "unless trials were left running this means nothing"

    resumed = Log()
    swept = sweep(experiment, tmp_path / "out", resume=True, listeners=[resumed])
    assert resumed.events[0] == ("begin", 2, len(kept))
    trials, study = table(tmp_path / "out"), entries(tmp_path / "out", experiment)
    assert len(trials) == swept.ran + len(kept) == 5
    assert trials["lr"].is_unique
    again = trials[trials["number"].isin(kept["number"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, kept)
    for cut in left:
        entry = study[cut.number]
        assert entry.state is TrialState.FAIL
        assert study[entry.user_attrs["continued_as"]].params == cut.params
    assert [t.number for t in study if t.state is not TrialState.FAIL] == trials["number"].tolist()


def test_a_whole_record_is_told_and_not_run_again_in_an_extended_sweep(ray_session, tiny, tmp_path):
    experiment = tiny(trials=2)
    sweep(experiment, tmp_path / "out")
    # Take the last telling away, as if the driver had died between the record and the study.
    journal = tmp_path / "out" / "study.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    ends = [i for i, line in enumerate(lines) if b'"op_code":6' in line]  # a trial's state and values
    journal.write_bytes(b"".join(lines[: ends[-1]]))
    assert [t.state for t in entries(tmp_path / "out", experiment)].count(TrialState.RUNNING) == 1
    log = Log()
    swept = sweep(tiny(trials=3), tmp_path / "out", resume=True, listeners=[log])
    assert len(swept.records) == 3
    assert [event for event in log.events if event[0] == "started"] == [("started", 2)]
    assert [t.state for t in entries(tmp_path / "out", experiment)] == [TrialState.COMPLETE] * 3
    assert "trials: 3" in Folder(tmp_path / "out").experiment.read_text()


def test_a_folder_that_can_no_longer_be_written_ends_the_sweep(ray_session, tiny, tmp_path):
    class Full(Listener):
        def started(self, number, params):
            (tmp_path / "out" / "trials" / f"{number:05d}").write_text("no folder can be made here")

    with pytest.raises(SweepFailed, match="FileExistsError") as failure:
        sweep(tiny(trials=3), tmp_path / "out", listeners=[Full()])
    assert failure.value.folder == tmp_path / "out"


def test_after_its_hours_a_sweep_starts_no_trial(ray_session, tiny, tmp_path):
    experiment = tiny(trials=50, seconds=0.8, limits={"hours": 1e-4, "concurrent": 1})
    swept = sweep(experiment, tmp_path / "out")
    assert 1 <= len(swept.records) < 50
    assert all(t.state.is_finished() for t in entries(tmp_path / "out", experiment))


@pytest.mark.parametrize(
    ("trials", "why"),
    [
        (9, "the rest of its 8 hours in all is for the race"),
        (3, "its 8 hours in all leave no time for more fresh seeds"),
    ],
)
def test_after_its_total_hours_a_sweep_starts_nothing_and_says_why(
    ray_session, candidates, tiny, tmp_path, monkeypatch, trials, why
):
    class Short(TotalTime):
        """Is over after three trials and a run on a fresh seed, however fast this machine is."""

        def has_trial(self, records, running, slots):
            return len(records) < 3

        def has_run(self, records):
            return not read_confirmation(Folder(tmp_path / "out"))

    monkeypatch.setattr("gansearch.search.session.TotalTime", Short)
    limits = {"total_hours": 8.0, "concurrent": 1}
    experiment = tiny(trials=trials, prune=False, confirm={"top": 2, "replicas": 2}, limits=limits)
    swept = sweep(experiment, tmp_path / "out")
    assert len(swept.records) == 3
    assert len(read_confirmation(swept.folder)) == 1
    run = from_json(swept.folder.run.read_text())
    assert run["ended"] == why
    assert run["total_seconds"] > run["wall_seconds"] > 0
    assert sweep(experiment, tmp_path / "out", resume=True).ran == 0


def test_a_sweep_starts_from_known_points_and_from_an_earlier_study(ray_session, finished, tmp_path):
    more = {"trials": 3, "start_from": [{"lr": 2e-4, "lr_ratio": 1}, {"lr": 2e-3}], "warm_start": str(finished.path)}
    experiment = finished.experiment.model_copy(update={**more, "confirm": None})
    records = sweep(experiment, tmp_path / "out").records
    assert [record.params["lr"] for record in records[:2]] == pytest.approx([2e-4, 2e-3])
    study = entries(tmp_path / "out", experiment)
    warm = [trial for trial in study if "warm_start" in trial.user_attrs]
    assert [trial.number for trial in warm] == list(range(8))
    earlier = entries(finished.path, finished.experiment)
    assert [t.constraints for t in warm] == [t.constraints for t in earlier]
    healthy = [t.number for t in earlier if t.constraints == {"failed": 0.0}]
    assert [warm[n].values for n in healthy] == [pytest.approx(earlier[n].values) for n in healthy]
    assert table(tmp_path / "out")["number"].tolist() == [record.number for record in records] == [8, 9, 10]
    assert sweep(experiment, tmp_path / "out", resume=True).ran == 0


def test_the_best_trials_race_and_the_default_settings_are_last(ray_session, candidates, make_tiny, tmp_path):
    class Choice(Log):
        def chosen(self):
            self.events.append(("chosen",))

    log, experiment = Choice(), make_tiny(trials=20, confirm={"top": 3, "replicas": 4}, limits={"concurrent": 1})
    swept = sweep(experiment, tmp_path / "out", listeners=[log])
    entries, default = read_confirmation(swept.folder), read_default(swept.folder)
    places = race.standings(table(swept.path), entries, race.rules_of(experiment, table(swept.path)))
    assert len(places) == 3
    assert len(places[0].runs) == 4
    assert 4 <= len(entries) <= 3 + 4 - 1
    assert [entry.seed for entry in default] == [10_000, 10_001, 10_002]
    started = [event[1:3] for event in log.events if event[0] == "confirming" and event[3] is None]
    assert started == [*((entry.number, entry.seed) for entry in entries), *((None, entry.seed) for entry in default)]
    chosen = log.events.index(("chosen",))
    assert log.events[chosen - 1][:3] == ("confirming", entries[-1].number, entries[-1].seed)
    assert log.events[chosen + 1] == ("confirming", None, 10_000, None)
    assert sweep(experiment, tmp_path / "out", resume=True, listeners=[again := Log()]).ran == 0
    assert again.events == [("begin", 0, 20), ("close",)]


def test_a_signal_while_the_default_settings_train_loses_nothing_of_the_winner(
    ray_session, candidates, make_tiny, tmp_path
):
    class Impatient(Listener):
        def confirming(self, number, seed, result):
            if number is None:
                signal.raise_signal(signal.SIGUSR1)  # Ray Tune takes this one

    experiment = make_tiny(trials=3, confirm={"top": 2, "replicas": 2}, limits={"concurrent": 1})
    folder = Folder(tmp_path / "out")
    with pytest.raises(Interrupted):
        api.sweep(experiment, folder.path, listeners=[Impatient()])
    best, default = folder.best.read_text(), read_default(folder)
    assert len(default) < 2
    assert Experiment.load(folder.best).evidence["seeds"] == [10_000, 10_001]
    assert "</html>" in folder.report.read_text()
    study = api.sweep(experiment, folder.path, resume=True)
    assert folder.best.read_text() == best
    assert len(study.default.seeds) == 2


def test_a_sweep_goes_on_in_a_changed_space(ray_session, candidates, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(race, "SHARE", 9.0)
    monkeypatch.setattr(race, "MARGIN", 99.0)
    confirm = {"top": 4, "replicas": 2}
    sweep(tiny(trials=2), tmp_path / "out")
    changed = {"lr": {"low": 0.02, "high": 0.03}, "loss": {"choices": ["hinge", "wgan"]}}
    experiment = tiny(search=changed, trials=4, confirm=confirm)
    with pytest.raises(SweepError, match="--allow-change"):
        sweep(experiment, tmp_path / "out", resume=True)
    swept = sweep(experiment, tmp_path / "out", resume=True, allow_change=True)
    trials = table(tmp_path / "out")
    assert swept.ran == 2
    assert list(trials.columns) == trial_columns(["lr", "loss", "betas"])
    assert trials["loss"].isin(["hinge", "wgan"]).tolist() == [False, False, True, True]
    assert trials["lr"].between(0.02, 0.03).tolist() == [False, False, True, True]
    assert [list(betas) for betas in trials["betas"][2:]] == [[0.5, 0.999]] * 2
    assert {entry.number for entry in read_confirmation(swept.folder)} == {0, 1, 2, 3}
    again = sweep(experiment, tmp_path / "out", resume=True)
    assert again.ran == 0
    pd.testing.assert_frame_equal(table(tmp_path / "out"), trials)


def test_a_space_that_is_used_up_ends_a_sweep_that_says_so(ray_session, tiny, tmp_path):
    records = sweep(tiny(trials=9, search={"loss": {"choices": ["hinge", "wgan"]}}), tmp_path / "out").records
    assert {record.params["loss"] for record in records} == {"hinge", "wgan"}
    assert len(records) == 2
    run = from_json(Folder(tmp_path / "out").run.read_text())
    assert run["ended"] == "every configuration of the space has been tried"


def test_a_sweep_ends_with_its_updates(ray_session, tiny, tmp_path):
    records = sweep(tiny(trials=9, limits={"updates": 200, "concurrent": 2}), tmp_path / "out").records
    assert len(records) == 3


@pytest.mark.parametrize("left", [0.0, 0.6])
def test_a_journal_that_lost_trials_gets_them_back_from_their_records(ray_session, tiny, tmp_path, left):
    out = tmp_path / "out"
    sweep(tiny(trials=3), out)
    kept = {path: path.read_bytes() for path in out.glob("trials/0*/result.json")}
    journal = Folder(out).journal
    journal.write_bytes(journal.read_bytes()[: int(left * journal.stat().st_size)])
    records = sweep(tiny(trials=4), out, resume=True).records
    assert [record.number for record in records][:3] == [0, 1, 2]
    assert all(path.read_bytes() == before for path, before in kept.items())
    told = {t.number: t for t in entries(out, tiny(trials=4)) if "duplicate_of" not in t.user_attrs}
    assert [trial.state for trial in told.values()] == [TrialState.COMPLETE] * 4
    assert {n: trial.values[0] for n, trial in told.items()} == {record.number: record.distance for record in records}


@pytest.mark.parametrize("left", [0.0, 0.3, 0.6, 0.9])
def test_the_damaged_journal_of_a_finished_sweep_is_whole_again(finished, tmp_path, left):
    out = shutil.copytree(finished.path, tmp_path / "out")
    journal = Folder(out).journal
    journal.write_bytes(journal.read_bytes()[: int(left * journal.stat().st_size)])
    records = sweep(finished.experiment, out, resume=True).records
    found = entries(out, finished.experiment)
    assert all(trial.state.is_finished() for trial in found)
    replaced = {t.number for t in found if {"left_out", "continued_as"} & set(t.user_attrs)}
    assert {record.number for record in records} == {t.number for t in found} - replaced
    distances = {record.number: record.distance for record in records if record.status == "complete"}
    assert distances == {number: found[number].values[0] for number in distances}
