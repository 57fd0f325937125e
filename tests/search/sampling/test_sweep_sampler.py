"""The sampler of a sweep: whose turn it is, what each source draws, and that a resumed study draws the same."""

import math
from collections import Counter

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from gansearch.search.sampling.sweep_sampler import SweepSampler

CENTRE = {"lr": 2e-3, "pretrain_steps": 0, "loss": "hinge"}


def ask(study, first_rung=1.0, verdict="collapsed", distance=None):
    trial = study.ask()
    trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    trial.suggest_int("pretrain_steps", 0, 1000)
    trial.suggest_categorical("loss", ["hinge", "wgan"])
    trial.set_user_attr("verdict", verdict)
    first_rung = first_rung(study.trials[-1].user_attrs["source"]) if callable(first_rung) else first_rung
    trial.set_user_attr("first_rung", first_rung)
    study.tell(trial, first_rung if distance is None else distance(trial))
    return trial


def study_of(*centres, seed=3, **options):
    return optuna.create_study(sampler=SweepSampler(centres, seed, **options))


def sources(study):
    return [trial.user_attrs["source"] for trial in study.trials]


def test_prior_and_model_take_turns_and_then_the_better_one_is_asked_more():
    wins = study_of(CENTRE)
    loses = study_of(CENTRE)
    for _ in range(60):
        ask(wins, lambda source: 1.0 if source == "prior" else 2.0)
        ask(loses, lambda source: 2.0 if source == "prior" else 1.0)
    assert sources(wins)[:6] == sources(loses)[:6] == ["prior", "tpe"] * 3
    assert Counter(sources(wins)[6:12])["prior"] > Counter(sources(loses)[6:12])["prior"]
    assert Counter(sources(wins)[12:])["prior"] > 12  # .45 expected
    assert Counter(sources(loses)[12:])["prior"] < 5  # .025 expected


def test_the_prior_is_compared_at_the_first_rung_and_what_ended_before_it_is_farthest():
    study = study_of(CENTRE)
    for rung in (1.0, 2.0, 3.0, 2.5):
        ask(study, rung)
    sampler = study.sampler
    assert sampler.prior_wins(study.trials, study.directions) == pytest.approx(0.5)  # 1 and 3 against 2 and 2.5
    lost = study.ask()
    study.tell(lost, 9.0)
    assert sources(study)[-1] == "prior"
    assert sampler.prior_wins(study.trials, study.directions) == pytest.approx(2 / 6)
    assert sampler.prior_wins([], study.directions) == 0.5
    assert sampler.prior_share([], study.directions) == 1.0


def test_draws_of_the_prior_are_near_its_centre_and_choices_are_kept():
    study = study_of(CENTRE, n_startup_trials=1000)
    for _ in range(80):
        ask(study, lambda source: 1.0 if source == "prior" else 2.0)
    drawn = [trial.params for trial in study.trials if trial.user_attrs["source"] == "prior"]
    logs = np.log10([params["lr"] for params in drawn])
    assert abs(logs.mean() - math.log10(2e-3)) < 0.2
    assert 0.15 < logs.std() < 0.6  # .08 of 4 decades
    assert {params["loss"] for params in drawn} == {"hinge"}
    assert 0 < np.mean([params["pretrain_steps"] for params in drawn]) < 150  # reflected at its end


def test_a_name_that_the_prior_lacks_is_drawn_evenly_and_pretraining_is_short_at_first():
    study = study_of({"lr": 2e-3}, n_startup_trials=1000)
    for _ in range(200):
        ask(study)
    assert len({trial.params["loss"] for trial in study.trials if trial.user_attrs["source"] == "prior"}) == 2
    steps = [trial.params["pretrain_steps"] for trial in study.trials]
    assert np.median(steps) == pytest.approx(125, abs=60)
    assert max(steps) > 900


def test_moves_start_at_the_nearest_healthy_trials_and_only_once_there_are_enough():
    study = study_of(n_startup_trials=1000)

    def distance(trial):
        return abs(math.log10(trial.params["lr"] / 2e-3))

    for _ in range(7):
        ask(study, verdict="balanced", distance=distance)
    for _ in range(30):
        ask(study, verdict="collapsed", distance=lambda _: 0.0)
    assert "move" not in sources(study)
    for _ in range(120):
        ask(study, verdict="balanced", distance=distance)
    late = study.trials[40:]
    moves = [trial for trial in late if trial.user_attrs["source"] == "move"]
    assert 0.2 < len(moves) / len(late) < 0.42
    assert np.median([t.values[0] for t in moves]) < 0.4 * np.median([t.values[0] for t in late if t not in moves])


def test_a_study_that_is_opened_again_draws_the_same():
    whole, first = study_of(CENTRE), study_of(CENTRE)
    for _ in range(30):
        ask(whole, lambda source: 1.0, "balanced", lambda trial: trial.params["lr"])
    for _ in range(14):
        ask(first, lambda source: 1.0, "balanced", lambda trial: trial.params["lr"])
    first.sampler = SweepSampler([CENTRE], 3)
    for _ in range(16):
        ask(first, lambda source: 1.0, "balanced", lambda trial: trial.params["lr"])
    assert [t.params for t in first.trials] == [t.params for t in whole.trials]
    assert sources(first) == sources(whole)
    assert len({tuple(t.params.values()) for t in whole.trials}) == 30


def test_a_trial_that_was_cut_short_and_continued_counts_once():
    """A driver that is killed leaves two entries of it: the failed one, and the one that continues it."""
    whole, resumed = study_of(CENTRE), study_of(CENTRE)
    for number in range(30):
        if number in (3, 8, 20):
            cut = resumed.ask()
            cut.suggest_float("lr", 1e-5, 1e-1, log=True)
            cut.suggest_int("pretrain_steps", 0, 1000)
            cut.suggest_categorical("loss", ["hinge", "wgan"])
            source = resumed.trials[-1].user_attrs["source"]
            resumed.enqueue_trial(cut.params, {"continues": cut.number, "source": source})
            cut.set_user_attr("continued_as", cut.number + 1)
            resumed.tell(cut, state=optuna.trial.TrialState.FAIL)
        for study in (whole, resumed):
            ask(study, lambda source: 1.0, "balanced", lambda trial: trial.params["lr"])
    complete = [trial for trial in resumed.trials if "continued_as" not in trial.user_attrs]
    assert [trial.params for trial in complete] == [trial.params for trial in whole.trials]
    assert [trial.user_attrs["source"] for trial in complete] == sources(whole)


def test_what_is_enqueued_has_no_source_of_the_sampler():
    study = study_of(CENTRE)
    study.enqueue_trial({"lr": 5e-3, "pretrain_steps": 7, "loss": "wgan"}, {"source": "default"})
    trial = ask(study)
    assert (trial.params["pretrain_steps"], sources(study)) == (7, ["default"])


def test_the_model_begins_after_draws_of_its_own():
    """Those of the prior lie close together."""
    study = study_of({"lr": 2e-3})
    for _ in range(40):
        ask(study, lambda source: 1.0 if source == "prior" else 2.0)
    own = [trial.params["lr"] for trial in study.trials if trial.user_attrs["source"] == "tpe"]
    assert np.log10(own[:10]).std() > 0.8  # even over four decades: 1.15


def test_a_stopped_trial_that_was_near_is_better_for_the_model_than_a_far_one_that_went_on():
    """The first trials are not stopped, however far they are."""
    study = study_of()
    for lr in (1e-5, 2e-5, 4e-5, 8e-5, 6e-5, 3e-5):
        study.enqueue_trial({"lr": lr})
        ask(study, distance=lambda _: 9.0)
    for i in range(60):
        if i < 14:
            study.enqueue_trial({"lr": 1e-3 * 1.3 ** (i - 7)})
        trial = study.ask()
        lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        trial.report(abs(math.log10(lr / 1e-3)), 10)
        study.tell(trial, state=TrialState.PRUNED)
    late = [abs(math.log10(trial.params["lr"] / 1e-3)) for trial in study.trials[-30:]]
    assert np.median(late) < 0.4  # TPE alone goes to 4e-5


def test_two_objectives_work_as_well():
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=SweepSampler([CENTRE], 0))
    for _ in range(40):
        trial = study.ask()
        lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        trial.set_user_attr("verdict", "balanced")
        study.tell(trial, [0.5, abs(math.log10(lr / 2e-3))])
    assert {"prior", "tpe", "move"} == set(sources(study))
    moves = [trial.values[1] for trial in study.trials if trial.user_attrs["source"] == "move"]
    assert np.median(moves) < 0.5
