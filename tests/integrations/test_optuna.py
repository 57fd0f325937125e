"""The monitor in an Optuna study, and the sampler as a package of OptunaHub."""

import importlib.util
import math
import pickle
from collections import Counter
from pathlib import Path

import optuna
import pytest
import torch
import yaml
from optuna.trial import TrialState

from gansearch.integrations.optuna import HOPELESS, StabilityObjective, StabilityPruner
from gansearch.stability import StabilityMonitor

HUB = Path(__file__).parents[2] / "experiments/optunahub/package"
UPDATES = 1000


def train(trial, monitor):
    """A run whose samples stay as far from the data as `far` says; its distance is that."""
    far = trial.suggest_float("far", 0.0, 40.0)
    draws = torch.Generator().manual_seed(trial.number)
    for step in range(20, UPDATES + 1, 20):
        scores = torch.randn(2, 64, generator=draws) * 0.5
        reals, fakes = torch.randn(2, 64, 2, generator=draws)
        monitor.update(scores[0] + 0.2, scores[1] - 0.2, step=step, samples=(reals, fakes + far))
        trial.set_user_attr("step", step)
    return math.nan if trial.number == 3 else far


def optimized(objective, *fars, **options):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0), **options)
    for far in fars:
        study.enqueue_trial({"far": far})
    study.optimize(objective, n_trials=len(fars))
    return study


def test_what_is_beyond_hope_is_pruned_at_a_quarter_and_the_verdicts_are_attributes():
    study = optimized(StabilityObjective(train, UPDATES), 0.0, 40.0, 0.1, 0.0)
    fine, hopeless, near, no_number = study.trials
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "COMPLETE", "PRUNED"]
    assert fine.user_attrs["verdict"] == "balanced"
    assert fine.user_attrs["stability"] == pytest.approx(near.user_attrs["stability"], abs=0.1)
    assert HOPELESS not in fine.user_attrs
    assert "far from the data" in hopeless.user_attrs[HOPELESS]
    assert 230 <= hopeless.user_attrs["step"] < 300  # the last step before it
    assert hopeless.user_attrs["verdict"] != "balanced"
    assert hopeless.user_attrs["sentence"].endswith((".", "?"))
    assert no_number.user_attrs["verdict"] == "balanced"
    assert fine.constraints["unhealthy"] == 0.0 < 0.2 < hopeless.constraints["unhealthy"]
    assert study.best_trial.number == 0


def test_the_best_trial_is_a_balanced_one_though_another_has_a_smaller_value():
    def objective(trial, monitor):
        return -train(trial, monitor)

    study = optimized(StabilityObjective(objective, 10 * UPDATES), 0.1, 40.0)  # too early to be beyond hope
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 2
    assert study.trials[1].value < study.trials[0].value
    assert study.best_trial.number == 0


def test_an_objective_that_gives_no_probe_or_several_values_or_own_constraints_is_left_alone():
    def own(trial, monitor):
        trial.set_constraint("unhealthy", 2.0)
        monitor.update(torch.zeros(9), torch.zeros(9))
        return 1.0, trial.suggest_float("far", 0, 1)

    study = optimized(StabilityObjective(own, 5), 0.5, directions=["minimize", "maximize"])
    assert study.trials[0].values == [1.0, 0.5]
    assert study.trials[0].constraints == {"unhealthy": 2.0}
    silent = optimized(StabilityObjective(lambda trial, monitor: 1.0, 5), 0.5)
    assert (silent.trials[0].value, silent.trials[0].user_attrs) == (1.0, {})


def test_what_an_objective_raises_comes_through_with_the_verdict_so_far():
    def broken(trial, monitor):
        monitor.update(torch.zeros(9), torch.zeros(9))
        raise RuntimeError("out of memory")

    study = optuna.create_study()
    study.optimize(StabilityObjective(broken, 5), n_trials=1, catch=RuntimeError)
    assert study.trials[0].state is TrialState.FAIL
    assert study.trials[0].user_attrs["verdict"] == "uninformative"


@pytest.mark.parametrize(("updates", "output", "part"), [(0, "logit", "at least 1"), (5, "logits", "output must be")])
def test_wrong_arguments_are_refused_before_a_trial(updates, output, part):
    with pytest.raises(ValueError, match=part):
        StabilityObjective(train, updates, output)


def test_the_pruner_stops_what_a_monitor_of_ones_own_calls_hopeless_and_asks_another_about_the_rest():
    def objective(trial):
        far = trial.suggest_float("far", 0, 40)
        monitor = StabilityMonitor()
        for step in range(1, 101):
            samples = (torch.randn(64, 2), torch.randn(64, 2) + far)
            monitor.update(torch.randn(64), torch.randn(64), step=step, samples=samples)
            trial.set_user_attr(HOPELESS, monitor.beyond_hope(step / 100))
            trial.report(far, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return far

    median = StabilityPruner(optuna.pruners.ThresholdPruner(upper=3.0))
    study = optimized(objective, 0.0, 30.0, 4.0, pruner=median)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "PRUNED"]
    alone = optimized(objective, 0.0, 30.0, pruner=StabilityPruner())
    assert [trial.state.name for trial in alone.trials] == ["COMPLETE", "PRUNED"]
    assert 25 <= alone.trials[1].last_step <= 40


def test_threads_and_pickles():
    wrapped = pickle.loads(pickle.dumps(StabilityObjective(train, UPDATES)))  # noqa: S301
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0), pruner=StabilityPruner())
    study.optimize(wrapped, n_trials=4, n_jobs=2)
    assert Counter(trial.state.is_finished() for trial in study.trials) == {True: 4}
    assert all("verdict" in trial.user_attrs for trial in study.trials)


@pytest.fixture(params=["layout", "optunahub"])
def load(request):
    """How OptunaHub loads a package of a registry, by itself where it is installed."""
    if request.param == "optunahub":
        return pytest.importorskip("optunahub").load_local_module

    def by_hand(package, registry_root):
        path = Path(registry_root) / package / "__init__.py"
        spec = importlib.util.spec_from_file_location(package.replace("/", "."), path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return by_hand


def test_the_sampler_is_a_package_of_optunahub(load):
    module = load("samplers/gan_balance", registry_root=str(HUB))
    study = optuna.create_study(sampler=module.BalanceSampler(seed=0))
    study.optimize(lambda trial: trial.suggest_float("lr", 1e-5, 1e-1, log=True), n_trials=5)
    assert len(study.trials) == 5


def test_the_package_has_what_its_registry_asks_for():
    folder = HUB / "samplers/gan_balance"
    assert {"LICENSE", "README.md", "__init__.py", "example.py"} <= {path.name for path in folder.iterdir()}
    _, front, text = (folder / "README.md").read_text().split("---\n", 2)
    facts = yaml.safe_load(front)
    assert {"author", "title", "description", "tags", "optuna_versions", "license"} == facts.keys()
    assert "sampler" in facts["tags"]
    assert facts["license"] == "MIT License"
    for heading in ("## Abstract", "## Class or Function Names", "## Installation", "## Example"):
        assert heading in text
    for code in (text.split("```python\n")[1].split("```")[0], (folder / "example.py").read_text()):
        compile(code, "example", "exec")
