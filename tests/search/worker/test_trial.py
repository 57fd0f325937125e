"""What one worker does: checkpoints from which a trial goes on, after a death or in a resumed sweep."""

import signal
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch

from gansearch.gan.probe_schedule import probe_updates
from gansearch.interrupts import Interrupted
from gansearch.search.callbacks.listener import Listener
from gansearch.search.sweep import sweep
from gansearch.search.worker import trial
from gansearch.search.worker.trial import TrialRun
from gansearch.store.folder import Folder
from gansearch.store.nan_json import to_json


def results(trial):
    """Of all seeds, without their times."""
    return to_json([{k: v for k, v in asdict(seed).items() if k != "train_seconds"} for seed in trial.seeds])


PROBES = probe_updates(80)


def started(experiment, params, **config):
    return TrialRun(experiment, {"number": 0, "params": params, **config}, cpus=1, gpus=0)


# In turn in the middle of the second seed, at once in the middle of both.
@pytest.mark.parametrize(("spectral_norm", "share"), [(True, 1.5), (False, 0.5)], ids=["in turn", "at once"])
def test_a_trial_goes_on_from_a_checkpoint_as_if_unbroken(make_tiny, tmp_path, spectral_norm, share):
    training = {"updates": 80, "batch_size": 8, "spectral_norm": spectral_norm}
    experiment = make_tiny(replicas=2, prune=False, training=training)
    params = {"lr": 1e-3, "betas": [0.5, 0.9]}
    unbroken, cut = (started(experiment, params, moments=True) for _ in range(2))
    for _ in unbroken.train():
        pass
    training = cut.train()
    for _ in range(int(share * len(PROBES))):
        next(training)
    assert len(cut.trainers) == (1 if spectral_norm else 2)
    torch.save(cut.state(), tmp_path / "state.pt")
    resumed = started(experiment, params, moments=True)
    resumed.load_state(torch.load(tmp_path / "state.pt", weights_only=True))
    for _ in resumed.train():
        pass
    assert unbroken.error == resumed.error == ""
    assert bool(unbroken.in_turn) == spectral_norm
    assert len(resumed.seeds) == 2
    assert results(resumed) == results(unbroken)
    assert to_json(resumed.rows) == to_json(unbroken.rows)
    assert np.array_equal(resumed.samples, unbroken.samples)
    moments = [run.ending().moments for run in (resumed, unbroken)]
    assert moments[0]["updates"] == moments[1]["updates"] == unbroken.moments.updates
    assert np.array_equal(*(one["array"] for one in moments))
    assert len(moments[0]["array"]) == 7


def test_a_trial_of_a_search_keeps_no_moments(make_tiny):
    run = started(make_tiny(training={"updates": 20, "batch_size": 8}), {"lr": 1e-3, "betas": [0.5, 0.9]})
    for _ in run.train():
        pass
    assert run.ending().moments == {}


def test_the_rungs_of_a_resumed_sweep_are_told_where_a_trial_stood(make_tiny):
    wanted, config = make_tiny(prune=True, trials=3), {"number": 3, "params": {"lr": 1e-3}}
    first, second = (TrialRun(wanted, config, 1, 0) for _ in range(2))
    told = []

    def link(name, *given):
        if name == "reach":
            told.append(given)
        return "", False

    first.link = link
    for _ in first.train():
        if len(told) == 2:
            break
    before = told.copy()
    second.load_state(first.state(), resumed=True)
    told.clear()
    second.link = link
    for _ in second.train():
        pass
    assert told == before
    assert [number for _, number in told] == [3, 3]


@pytest.mark.parametrize("answers", [[True, True], [True, False], [False, True]], ids=str)
def test_the_nearest_at_its_last_rung_is_not_given_up(make_tiny, answers):
    """Of `answers` whether it was the nearest at each rung; it is cut off and goes on between them."""
    wanted = make_tiny(prune=True, trials=3, training={"updates": 200, "batch_size": 8})
    wanted = wanted.model_copy(update={"task": wanted.task.replace(":Tiny", ":Far")})
    first, second = (TrialRun(wanted, {"number": 3, "params": {"lr": 1e-3}}, 1, 0) for _ in range(2))
    first.link, second.link = (lambda *given, answer=answer: ("", answer) for answer in answers)
    for _ in first.train():
        if first.trainers[0].share > 0.2:
            break
    second.load_state(first.state())
    for _ in second.train():
        pass
    (seed,) = second.seeds
    if all(answers):
        assert (seed.status, seed.updates) == ("complete", 200)
    else:
        assert seed.status == "pruned"
        assert (seed.updates > 60) == answers[0]  # at once, or when it is no longer the nearest


def test_a_checkpoint_of_another_configuration_is_not_gone_on_from(make_tiny):
    experiment = make_tiny(training={"updates": 40, "batch_size": 8})
    state = started(experiment, {"lr": 1e-3, "betas": [0.5, 0.9]}).state()
    started(experiment, {"betas": (0.5, 0.9), "lr": 1e-3}).load_state(state)
    with pytest.raises(ValueError, match="another configuration"):
        started(experiment, {"lr": 2e-3, "betas": [0.5, 0.9]}).load_state(state)


def test_at_once_and_in_turn_leave_the_same_records(make_tiny, monkeypatch):
    experiment, params = make_tiny(replicas=3), {"lr": 1e-3, "betas": [0.5, 0.9]}
    at_once, in_turn = started(experiment, params), started(experiment, params)
    for _ in at_once.train():
        pass
    monkeypatch.setattr(trial.stacked, "refusal", lambda trainers: "a test wants it")
    for _ in in_turn.train():
        pass
    assert (at_once.in_turn, in_turn.in_turn) == ("", "a test wants it")
    assert [row["seed"] for row in at_once.rows[:3]] == [0, 1, 2]
    assert [seed.seed for seed in at_once.seeds] == [seed.seed for seed in in_turn.seeds] == [0, 1, 2]
    for a, b in zip(at_once.seeds, in_turn.seeds, strict=True):
        assert (a.status, a.verdict, a.updates) == (b.status, b.verdict, b.updates)
        assert a.distance == pytest.approx(b.distance, rel=1e-3)
        assert a.stability == pytest.approx(b.stability, rel=1e-3)
    assert at_once.samples == pytest.approx(in_turn.samples, abs=1e-3)


def test_one_seed_that_diverges_leaves_the_others_to_go_on(make_tiny, monkeypatch):
    experiment, params = make_tiny(replicas=3), {"lr": 1e-3, "betas": [0.5, 0.9]}
    made = trial.trainer_of

    def second_is_broken(job):
        trainer = made(job)
        if job.seed == 1:
            trainer.discriminator[0].weight.data.fill_(1e20)
        return trainer

    monkeypatch.setattr(trial, "trainer_of", second_is_broken)
    broken = started(experiment, params)
    for _ in broken.train():
        pass
    assert [seed.status for seed in broken.seeds] == ["complete", "failed", "complete"]
    assert broken.seeds[1].updates < 80


@pytest.fixture
def saved(tiny, tmp_path):
    """Makes an experiment of the task whose workers save often; and counts the looks at the quality so far."""

    def make(does=None, **fields):
        plain = tiny(does, seconds=1.2, trials=1, prune=False, checkpoints={"seconds": 0.1}, **fields)
        return plain.model_copy(update={"task": plain.task.replace(":Tiny", ":Saved")})

    make.looks = lambda: len((tmp_path / "turns" / "looks").read_text().splitlines())
    return make


def curves(path):
    return pd.read_parquet(Folder(path).curves)["update"].tolist()


def test_a_trial_whose_worker_died_goes_on_from_its_checkpoint(ray_session, saved, tmp_path):
    (record,) = sweep(saved({"1": "die"}), tmp_path / "out").records
    assert record.status == "complete"
    assert curves(tmp_path / "out") == PROBES
    # One in the process it was forked from, two before it died, two after: from the beginning it would have been four.
    assert saved.looks() == 1 + 4
    assert not (tmp_path / "out" / "trials" / "ray").exists()


def test_a_trial_cut_short_goes_on_in_a_resumed_sweep(ray_session, saved, tmp_path):
    class Cut(Listener):
        def probes(self, number, rows):
            if rows[-1]["update"] >= 60 and list((tmp_path / "out" / "trials").glob("ray/*/checkpoint_*")):
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        sweep(saved(), tmp_path / "out", listeners=[Cut()])
    before = saved.looks()
    assert before in (2, 3, 4)
    (record,) = sweep(saved(), tmp_path / "out", resume=True).records
    assert record.number == 1
    assert record.status == "complete"
    assert curves(tmp_path / "out") == PROBES
    assert saved.looks() <= before + 2
