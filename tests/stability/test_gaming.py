"""Ways to look stable without learning, each by the real trainer: none comes near the healthy run of its task."""

import functools

import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task
from gansearch.gan.tasks.digits import Digits
from gansearch.gan.tasks.mixtures import Ring

HEALTHY = {
    "ring": {"lr": 2e-3, "r1_gamma": 0.1, "updates": 1600},
    "digits": {"lr": 3e-3, "lr_ratio": 8.0, "r1_gamma": 1.0, "update_ratio": 2.0, "updates": 1200},
}
BUILT_IN = {"ring": Ring, "digits": Digits}

pytestmark = pytest.mark.slow


def judged(task, **options):
    trainer = Trainer(task, Training(**options))
    for _ in trainer.run():
        pass
    return trainer.result()


def healthy(name):
    return cheat(name)


class Replay(nn.Module):
    """Gives some fixed samples in turn; one parameter, which changes nothing, for the optimizer."""

    def __init__(self, samples):
        super().__init__()
        self.samples = nn.Buffer(samples)
        self.nothing = nn.Parameter(torch.zeros(()))

    def forward(self, latents):
        pick = (latents[:, 0].abs() * 1e4).long() % len(self.samples)
        return self.samples[pick] + 0 * self.nothing


def replaying(name, of):
    """The task with a generator that gives `of(training samples)`."""

    class Replaying(BUILT_IN[name]):
        def generator(self):
            return Replay(of(self.real()))

    return Replaying()


@pytest.mark.parametrize("name", list(HEALTHY))
def test_the_healthy_run_is_healthy(name):
    result = healthy(name)
    assert result.verdict == "balanced"
    assert result.stability > 0.65


@functools.cache
def cheat(name, **options):
    """The result of the healthy run's settings but for `options`; None leaves a setting out."""
    chosen = {**HEALTHY[name], **options}
    return judged(load_task(name), **{key: value for key, value in chosen.items() if value is not None})


def rates(lr_d, lr_g):
    return {"lr": None, "lr_ratio": None, "lr_d": lr_d, "lr_g": lr_g}


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 1e-9, "updates": 300},
        {**rates(1e-3, 1e-9), "updates": 300},
        {**rates(1e-12, 1e-3), "updates": 300},
        {"updates": 50},
    ],
    ids=["nothing_learns", "g_never_learns", "d_never_learns", "a_short_run"],
)
@pytest.mark.parametrize("name", list(HEALTHY))
def test_settings_that_only_look_stable(name, options):
    result = cheat(name, **options)
    assert result.stability < healthy(name).stability - 0.2
    assert result.verdict != "balanced"


def test_a_d_flattened_by_a_huge_penalty():
    result = cheat("ring", r1_gamma=1000.0)
    assert result.stability < healthy("ring").stability - 0.2
    assert result.verdict != "balanced"


def test_a_huge_penalty_from_which_g_does_learn_is_scored_for_what_it_learned():
    # On digits Adam makes up for D's slight slopes: the run ends far nearer to the healthy one than to an untrained G.
    result, untrained = cheat("digits", r1_gamma=1000.0), cheat("digits", lr=1e-9, updates=300)
    assert healthy("digits").distance < result.distance < untrained.distance / 4
    assert untrained.stability + 0.2 < result.stability < healthy("digits").stability


@pytest.mark.parametrize(
    "of",
    [lambda real: real.mean(0, keepdim=True), lambda real: real[torch.linspace(0, len(real) - 1, 5).long()]],
    ids=["the_mean", "five_samples"],
)
@pytest.mark.parametrize("name", list(HEALTHY))
def test_generators_that_do_not_generate(name, of):
    result = judged(replaying(name, of), **{**HEALTHY[name], "updates": 300})
    assert result.stability < healthy(name).stability - 0.2
    assert result.verdict == "collapsed"


@pytest.mark.parametrize("option", ["label_smoothing", "instance_noise"])
def test_the_probe_is_clean_of_what_only_training_sees(option):
    """The same networks are judged the same, whatever noise their training samples and targets would get."""
    plain, noisy = (Trainer(load_task("ring"), Training(updates=300, **extra)) for extra in ({}, {option: 0.2}))
    for _ in plain.run():
        pass
    trained = plain.state()
    reports = []
    for trainer in (plain, noisy):
        trainer.load_state(trained)
        trainer.probe()
        reports.append((trainer.monitor.rows()[-1], trainer.result().stability))
    assert reports[0] == reports[1]


@pytest.mark.parametrize("option", [{"label_smoothing": 0.1}, {"instance_noise": 0.05}])
def test_mild_smoothing_and_noise_leave_a_healthy_run_healthy(option):
    result = cheat("ring", **option)
    assert result.verdict == "balanced"
    assert result.stability == pytest.approx(healthy("ring").stability, abs=0.1)
