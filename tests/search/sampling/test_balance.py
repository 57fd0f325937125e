"""The sampler of balances in somebody's own Optuna study: any names, directions, workers, and pickles."""

import math
import pickle
import threading
import warnings

import numpy as np
import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

import gansearch
from gansearch.search.sampling.recorded import recorded_runs

SOURCE = "gansearch:source"


def far_from_balance(trial):
    """A distance that is smallest where most GANs train, and rises with the difference of D's and G's strength."""
    lr_d = trial.suggest_float("lr_d", 1e-6, 1.0, log=True)
    lr_g = trial.suggest_float("lr_g", 1e-6, 1.0, log=True)
    ratio = trial.suggest_float("update_ratio", 0.1, 10, log=True)
    strength = math.log10(ratio * lr_d / lr_g)
    return abs(strength) + abs(math.log10(math.sqrt(lr_d * lr_g) / 2e-3))


def sources(study):
    return [trial.user_attrs[SOURCE] for trial in study.trials]


def studied(objective, trials=40, seed=0, direction="minimize", **options):
    study = optuna.create_study(sampler=gansearch.BalanceSampler(seed, **options), direction=direction)
    study.optimize(objective, n_trials=trials)
    return study


def best_after(sampler, trials):
    study = optuna.create_study(sampler=sampler)
    study.optimize(far_from_balance, n_trials=trials)
    return study.best_value


def test_it_finds_a_balance_in_half_of_the_trials_that_random_draws_need():
    ours = [best_after(gansearch.BalanceSampler(seed), 25) for seed in range(12)]
    random = [best_after(RandomSampler(seed), 50) for seed in range(12)]
    assert np.median(ours) < 0.8 * np.median(random)
    assert sum(a < b for a, b in zip(ours, random, strict=True)) >= 9


def test_maximising_finds_what_minimising_the_negated_finds():
    down, up = studied(far_from_balance), studied(lambda trial: -far_from_balance(trial), direction="maximize")
    assert [trial.params for trial in up.trials] == [trial.params for trial in down.trials]
    assert {"prior", "tpe", "move"} == set(sources(up))


def test_a_prior_that_misleads_loses_its_turns_and_one_that_helps_keeps_them():
    def wrong_way(trial):
        return -far_from_balance(trial)

    misled, helped = Counted(studied(wrong_way, 60)), Counted(studied(far_from_balance, 60))
    assert misled["prior"] < helped["prior"]
    assert misled["prior"] < 12


class Counted(dict):
    """How many trials after the first twelve had each source."""

    def __init__(self, study):
        super().__init__({name: sources(study)[12:].count(name) for name in ("prior", "tpe", "move")})


def test_names_of_other_scripts_have_the_prior_and_names_of_none_have_tpe_and_moves():
    def others(trial):
        return trial.suggest_float("d_lr", 1e-5, 1e-1, log=True) + trial.suggest_int("n_critic", 1, 5)

    def none(trial):
        return trial.suggest_float("width", 0, 1) ** 2 + trial.suggest_int("layers", 1, 5)

    study = studied(others)
    assert {"prior", "tpe"} <= set(sources(study))
    near = [math.log10(t.params["d_lr"]) for t in study.trials if t.user_attrs[SOURCE] == "prior"]
    known = [math.log10(run["params"]["lr_d"]) for run in recorded_runs()]
    assert min(known) - 1 < min(near) < max(near) < max(known) + 1
    assert {"tpe", "move"} == set(sources(studied(none)))


def test_a_range_without_a_good_value_has_no_prior_and_a_choice_of_texts_neither():
    def elsewhere(trial):
        trial.suggest_categorical("lr_d", ["slow", "fast"])
        return trial.suggest_float("lr_g", 1e-9, 1e-8, log=True)

    assert "prior" not in sources(studied(elsewhere, 20))


def test_what_the_prior_lacks_is_drawn_by_tpe():
    def objective(trial):
        trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        return abs(trial.suggest_float("width", 0, 1) - 0.9)

    study = studied(objective, 80)
    late = [t.params["width"] for t in study.trials[40:] if t.user_attrs[SOURCE] == "prior"]
    assert np.median(np.abs(np.array(late) - 0.9)) < 0.15  # even draws: .4


def test_own_centres_take_the_place_of_the_recorded_ones():
    study = studied(far_from_balance, 30, centres=[{"lr_d": 0.5}])
    drawn = [t.params["lr_d"] for t in study.trials if t.user_attrs[SOURCE] == "prior"]
    assert min(drawn) > 0.01


def test_parameters_that_depend_on_others_and_steps_and_choices():
    def objective(trial):
        if trial.suggest_categorical("loss", ["hinge", "wgan"]) == "wgan":
            return trial.suggest_int("update_ratio", 1, 9, step=2) + trial.suggest_float("gp", 0.0, 10.0, step=0.5)
        return trial.suggest_float("lr", 1e-5, 1e-1, log=True) + trial.suggest_int("pretrain_steps", 0, 500)

    for options in ({}, {"multivariate": True}):
        study = studied(objective, 60, **options)
        assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}
        wgan = [trial.params for trial in study.trials if trial.params["loss"] == "wgan"]
        assert {params["update_ratio"] % 2 for params in wgan} == {1}


def test_trials_that_are_pruned_or_fail_and_trials_that_break_a_constraint_are_no_place_to_move_to():
    def objective(trial):
        lr = trial.suggest_float("x", 0.0, 1.0)
        trial.set_constraint("unhealthy", lr - 0.5)
        if trial.number % 5 == 1:
            raise optuna.TrialPruned
        if trial.number % 5 == 2:
            return math.nan
        return 1 - lr  # best where it is not allowed

    study = studied(objective, 100)
    moved = [trial.params["x"] for trial in study.trials if trial.user_attrs[SOURCE] == "move"]
    assert len(moved) > 10
    assert np.median(moved) < 0.6


def test_trials_that_are_asked_at_once_keep_their_sources_and_draw_different_values():
    study = optuna.create_study(sampler=gansearch.BalanceSampler(0))
    for _ in range(6):
        asked = [study.ask() for _ in range(8)]
        for trial in reversed(asked):
            study.tell(trial, far_from_balance(trial))
    assert len({trial.params["lr_d"] for trial in study.trials}) == 48
    assert study.sampler._plans == {}


def test_trials_that_are_never_told_keep_no_memory():
    study = optuna.create_study(sampler=gansearch.BalanceSampler(0))
    asked = [study.ask() for _ in range(300)]
    assert len(study.sampler._plans) <= 256
    far_from_balance(asked[0])  # whose plan is made again
    assert len(study.trials[0].params) == 3


def test_threads_share_one_sampler():
    study = optuna.create_study(sampler=gansearch.BalanceSampler(0))
    study.optimize(far_from_balance, n_trials=40, n_jobs=4)
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}
    assert len({trial.params["lr_d"] for trial in study.trials}) == 40


def test_several_workers_on_one_storage_see_each_other_and_draw_different_values(tmp_path):
    def work():
        storage = JournalStorage(JournalFileBackend(str(tmp_path / "study.log")))
        sampler = gansearch.BalanceSampler(0)
        study = optuna.create_study(study_name="one", storage=storage, sampler=sampler, load_if_exists=True)
        study.optimize(far_from_balance, n_trials=15)

    workers = [threading.Thread(target=work) for _ in range(2)]
    work()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    study = optuna.load_study(study_name="one", storage=JournalStorage(JournalFileBackend(str(tmp_path / "study.log"))))
    assert len(study.trials) == 45
    assert len({trial.params["lr_d"] for trial in study.trials}) > 40  # two that begin at the same moment may be equal
    assert {"prior", "tpe", "move"} == set(sources(study))


def test_a_trial_that_another_process_asked_can_be_sampled_here():
    study = optuna.create_study(sampler=gansearch.BalanceSampler(0))
    trial = study.ask()
    study.sampler = gansearch.BalanceSampler(1)
    study.tell(trial, far_from_balance(trial))
    assert len(study.trials[0].params) == 3


def test_a_pickled_sampler_goes_on_as_the_first_and_a_new_seed_does_not():
    study = studied(far_from_balance, 20)
    running = study.ask()  # a plan that holds the study
    running.suggest_float("lr_d", 1e-6, 1.0, log=True)
    copied = pickle.loads(pickle.dumps(study.sampler))  # noqa: S301
    study.tell(running, 9.0)
    first, second, third = study.sampler, copied, gansearch.BalanceSampler(0)
    third.reseed_rng()
    drawn = []
    for sampler in (first, second, third):
        study.sampler = sampler
        trial = study.ask()
        drawn.append(far_from_balance(trial))
        study.tell(trial, state=TrialState.FAIL)
        # The same place in the sequence for each.
        study = copy_of(study, len(study.trials) - 1)
    assert drawn[0] == drawn[1] != drawn[2]


def copy_of(study, trials):
    copied = optuna.create_study()
    copied.add_trials(study.trials[:trials])
    return copied


def test_seeds_give_the_same_and_none_gives_another_each_time():
    assert [t.params for t in studied(far_from_balance, 15).trials] == [
        t.params for t in studied(far_from_balance, 15).trials
    ]
    unseeded = [studied(far_from_balance, 1, seed=None).trials[0].params["lr_d"] for _ in range(2)]
    assert unseeded[0] != unseeded[1]


def test_several_objectives_and_own_attributes_of_the_user():
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=gansearch.BalanceSampler(0))

    def objective(trial):
        trial.set_user_attr("source", "web")
        distance = far_from_balance(trial)
        return -distance, distance

    study.optimize(objective, n_trials=40)
    assert {trial.user_attrs["source"] for trial in study.trials} == {"web"}
    assert {"prior", "tpe", "move"} == set(sources(study))


def test_an_enqueued_trial_is_nobodys():
    study = optuna.create_study(sampler=gansearch.BalanceSampler(0))
    study.enqueue_trial({"lr_d": 1e-3, "lr_g": 1e-3, "update_ratio": 1.0})
    study.optimize(far_from_balance, n_trials=2)
    assert [SOURCE in trial.user_attrs for trial in study.trials] == [False, True]


def test_an_option_that_tpe_lacks_is_refused_at_once():
    with pytest.raises(TypeError, match="n_startup_trails"):
        gansearch.BalanceSampler(n_startup_trails=3)


def test_an_objective_that_is_no_gans_has_tpe_and_moves_which_are_far_ahead_of_random_draws():
    def bowl(trial):
        return sum((trial.suggest_float(f"x{i}", -1, 1) - 0.3) ** 2 for i in range(3))

    def best(sampler):
        study = optuna.create_study(sampler=sampler)
        study.optimize(bowl, n_trials=40)
        return study.best_value

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = np.median([best(gansearch.BalanceSampler(seed)) for seed in range(5)])
    assert ours < 0.5 * np.median([best(RandomSampler(seed)) for seed in range(5)])
