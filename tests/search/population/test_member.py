"""A population: what its members went through, that it is repeatable, and that none is lost."""

import signal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from optuna.trial import TrialState

from gansearch.experiment import Experiment, ExperimentError
from gansearch.gan import Trainer, load_task
from gansearch.interrupts import Interrupted
from gansearch.search.callbacks.listener import Listener
from gansearch.search.check import check_search
from gansearch.search.errors import SweepError
from gansearch.search.population.member import exchanges
from gansearch.search.sampling.searcher import open_study
from gansearch.search.sweep import sweep
from gansearch.store.folder import Folder
from gansearch.store.record import scheduled, trial_columns
from gansearch.store.samples import read_samples
from gansearch.store.trial_files import CURVE_COLUMNS, read_record
from gansearch.study.analysis.choose import params_of
from gansearch.study.study import load_study
from tests.search.population.populations import PBT


class Log(Listener):
    """Remembers what has ended; sends this process a Ctrl-C when `interrupt_after` members have."""

    def __init__(self, interrupt_after=None):
        self.interrupt_after, self.records = interrupt_after, []

    def ended(self, record, in_turn):
        self.records.append(record)
        if len(self.records) == self.interrupt_after:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def finished(ray_session, make_tiny, tmp_path_factory):
    """A population of four, interrupted once two have ended, and gone on with."""
    folder = tmp_path_factory.mktemp("population")
    (folder / "turns").mkdir()
    experiment = make_tiny(folder / "turns", **PBT)
    first, second = Log(interrupt_after=2), Log()
    with pytest.raises(Interrupted):
        sweep(experiment, folder / "out", listeners=[first])
    swept = sweep(experiment, folder / "out", resume=True, listeners=[second])
    return SimpleNamespace(experiment=experiment, path=swept.path, first=first, second=second)


def rows(finished):
    return pd.read_parquet(Folder(finished.path).trials)


def test_every_member_has_a_row_and_none_is_lost_or_trained_twice(finished):
    trials = rows(finished)
    assert list(trials.columns) == trial_columns(finished.experiment.search)
    assert (len(trials), set(trials["status"]), set(trials["updates"])) == (4, {"complete"}, {80})
    ended = [record.number for log in (finished.first, finished.second) for record in log.records]
    assert sorted(ended) == sorted(trials["number"])


def test_the_study_tells_each_ending_and_schedule(finished):
    study = open_study(Folder(finished.path), finished.experiment)
    done = [trial for trial in study.trials if trial.state is TrialState.COMPLETE]
    assert {trial.state for trial in study.trials} <= {TrialState.COMPLETE, TrialState.FAIL}
    assert sorted(trial.number for trial in done) == sorted(rows(finished)["number"])
    for trial in done:
        record = read_record(Folder(finished.path), trial.number)
        assert trial.user_attrs["schedule"] == [segment.as_dict() for segment in record.schedule]
        assert trial.values == pytest.approx([record.distance])


def test_a_member_is_its_schedule_trained_from_the_start(finished):
    """Bit for bit, also where it is a copy: the random numbers are copied too, and all have the same seed."""
    folder, trials = Folder(finished.path), rows(finished)
    task = load_task(finished.experiment.task, {})
    lengths = []
    for number in trials["number"]:
        record = read_record(folder, number)
        params = scheduled(params_of(trials, number), record.schedule)
        trainer = Trainer(task, finished.experiment.training.with_params(params), finished.experiment.seed)
        probes = list(trainer.run())
        samples = read_samples(folder, number).array
        assert np.array_equal(trainer.result().samples[: len(samples)], samples)
        curves = pd.read_parquet(folder.record(number) / "curves.parquet")
        assert list(curves.columns) == list(CURVE_COLUMNS)
        assert curves["update"].tolist() == [probe.update for probe in probes]
        assert np.array_equal(curves["loss_d"], [probe.loss_d for probe in probes], equal_nan=True)
        last = record.schedule[-1]
        assert (last.lr_d, last.update_ratio) == (record.params["lr_d"], record.params["update_ratio"])
        lengths.append(len(record.schedule))
    assert max(lengths) > 1  # some were copies


def test_the_best_is_exported_with_its_schedule(finished, tmp_path):
    study = load_study(finished.path)
    longest = max(rows(finished)["number"], key=lambda n: len(read_record(study.folder, n).schedule))
    study.trials["verdict"] = ["balanced" if n == longest else "collapsed" for n in study.trials["number"]]
    study.export(tmp_path / "best.yaml")
    training, record = Experiment.load(tmp_path / "best.yaml").training, read_record(study.folder, longest)
    assert [segment.after for segment in training.segments] == [segment.after for segment in record.schedule]
    assert (training.lr_d, training.update_ratio) == (record.schedule[0].lr_d, record.schedule[0].update_ratio)
    assert f"after {training.schedule[0].after}<" in study.report(tmp_path / "report.html").read_text()


def test_a_population_cannot_become_another_sampler_s(finished):
    other = finished.experiment.model_copy(update={"sampler": "tpe"})
    with pytest.raises(SweepError, match="sampler"):
        sweep(other, finished.path, resume=True)


def test_exchanges_are_at_probes_after_the_longest_pretraining(make_tiny):
    held = exchanges(make_tiny(**PBT))
    assert len(held) == 3
    assert all(20 * k <= update < 20 * k + 5 for k, update in enumerate(held, 1))
    later = {**PBT, "search": {**PBT["search"], "pretrain_steps": {"low": 0, "high": 30}}}
    assert min(exchanges(make_tiny(**later))) >= 50


@pytest.mark.parametrize(
    ("fields", "path", "part"),
    [
        ({"search": {"betas": {"choices": [[0.5, 0.9], [0, 0.9]]}}}, "search", "lr_ratio"),
        ({"replicas": 2}, "replicas", "must be 1"),
        ({"trials": 1}, "trials", "at least 2"),
        ({"limits": {"hours": 1}}, "limits.hours", "side by side"),
        ({"stop_when_flat": 3}, "stop_when_flat", "no meaning"),
        ({"sampler": {"name": "pbt", "quantile": 0.5}}, "sampler.quantile", "quantile_fraction"),
        ({"sampler": {"name": "pbt", "quantile_fraction": 0.7}}, "sampler", "at most 0.5"),
        ({"sampler": {"name": "pbt", "perturbation_interval": 80}}, "sampler.perturbation_interval", "no exchange"),
    ],
)
def test_what_a_population_cannot_do_is_refused(make_tiny, fields, path, part):
    with pytest.raises(ExperimentError) as raised:
        check_search(make_tiny(**{**PBT, **fields}))
    assert part in raised.value.errors[path]


@pytest.fixture(scope="module")
def bereft(ray_session, make_tiny, tmp_path_factory):
    """A population of three, of which in the second leg one raises, and one's worker dies and is started again."""
    folder = tmp_path_factory.mktemp("bereft")
    (folder / "turns").mkdir()
    experiment = make_tiny(folder / "turns", {"5": "raise", "6": "die"}, **{**PBT, "trials": 3})
    return sweep(experiment, folder / "out")


def test_the_others_go_on_where_a_member_dies(bereft):
    trials = pd.read_parquet(bereft.folder.trials)
    assert sorted(trials["status"]) == ["complete", "complete", "failed"]
    assert "no such luck" in trials.set_index("status").loc["failed", "error"]
    assert set(trials[trials["status"] == "complete"]["updates"]) == {80}
