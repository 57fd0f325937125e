"""Seeds at once: the numbers that they have in turn."""

import io

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task
from gansearch.gan.stacked import MOST_WEIGHTS_ON_CPU, Stacked, refusal, run

pytestmark = pytest.mark.slow

SEEDS = (3, 4, 5)
BUDGET = {"updates": 60, "batch_size": 16}


class Points(Task):
    """Points of three numbers, a generator of one layer, and the discriminator that a test brings."""

    latent_dim = 4

    def __init__(self, discriminator):
        self.discriminator = discriminator

    def real(self):
        return torch.randn(200, 3, generator=torch.Generator().manual_seed(5))

    def generator(self):
        return nn.Linear(4, 3)


def trainers(task, seeds=SEEDS, prune=False, **training):
    return [Trainer(task, Training(**{**BUDGET, **training}), seed, prune=prune) for seed in seeds]


def numbers(probe):
    """A probe without its counts of D's answers: rounding may put one of them on the other side of an edge."""
    return {name: value for name, value in vars(probe).items() if name != "outputs"}


def tensors(trainer):
    """Of both networks and the average, without the biases before batch norm.

    Their gradient is rounding noise around zero, and Adam makes steps of lr out of it.
    """
    networks = (trainer.generator, trainer.discriminator, *([trainer.average] if trainer.average else []))
    noise = ("0.bias", "2.running_mean", "4.bias", "5.running_mean")
    normed = any(isinstance(module, nn.BatchNorm2d) for module in trainer.generator.modules())
    return {
        f"{i} {name}": value
        for i, network in enumerate(networks)
        for name, value in network.state_dict().items()
        if not (normed and i != 1 and name.endswith(noise))
    }


def close(a, b, rel):
    """Whether two dictionaries of numbers or tensors agree, tensors relative to their largest entry."""
    return a.keys() == b.keys() and all(
        torch.as_tensor(a[k]).double().sub(torch.as_tensor(b[k]).double()).abs().max()
        <= rel * torch.as_tensor(a[k]).double().abs().max() + 1e-6
        for k in a
    )


@pytest.mark.parametrize("task", ["ring", "digits"])
@pytest.mark.parametrize(
    "training",
    [
        {"loss": "non_saturating", "r1_gamma": 1.0, "ema": 0.9},
        {"loss": "minimax", "label_smoothing": 0.1, "instance_noise": 0.1},
        {"loss": "hinge", "optimizer": "sgd", "lr": 0.01, "update_ratio": 2.5, "ema": 0.9},
        {"loss": "wgan", "pretrain_steps": 5, "lr_decay": 0.5},
        {"loss": "relativistic", "r2_gamma": 0.5, "optimizer": "sgd"},  # its D's last bias has a gradient of 0 as well
        {"loss": "lsgan", "simultaneous": True},
        {"loss": "hinge", "accumulate": 2, "clip_grad": 0.3, "optimizer": "adamw", "weight_decay": 0.1},
        {"loss": "wgan", "weight_clip": 0.05, "optimizer": "sgd", "lr": 0.01},  # as relativistic
        {"loss": "non_saturating", "optimizer": "rmsprop", "lr": 1e-4},
        {"loss": "relativistic", "optimizer": "sgd", "lr": 0.01, "top_k": 0.5, "top_k_anneal": 0.5, "batch_ratio": 0.5},
        {"loss": "minimax", "r1_gamma": 1.0, "r2_gamma": 1.0, "r1_every": 4},
    ],
    ids=lambda training: "-".join(training),
)
def test_seeds_at_once_have_the_probes_and_networks_that_they_have_in_turn(request, task, training):
    if task == "ring":  # the digits' judge is in single precision
        request.getfixturevalue("double")
    task = load_task(task, {"width": 8})
    in_turn, at_once = (trainers(task, seeds=(3, 4), updates=40, **training) for _ in range(2))
    assert refusal(at_once) == ""
    probes = list(run(at_once))
    for place, (trainer, stacked) in enumerate(zip(in_turn, at_once, strict=True)):
        for alone, together in zip(trainer.run(), probes, strict=True):
            assert numbers(together[place]) == pytest.approx(numbers(alone), rel=1e-3, abs=1e-4, nan_ok=True)
        assert close(tensors(trainer), tensors(stacked), rel=1e-3)
        assert (stacked.d_updates, stacked.g_updates) == (trainer.d_updates, trainer.g_updates)
        assert torch.equal(stacked.draws.get_state(), trainer.draws.get_state())
        assert torch.equal(stacked.probe_draws.get_state(), trainer.probe_draws.get_state())
        assert close({"": trainer.samples(50)}, {"": stacked.samples(50)}, rel=1e-2)


def test_one_update_agrees_to_rounding():
    task = load_task("digits", {"width": 8})
    in_turn, at_once = trainers(task, r1_gamma=1.0), trainers(task, r1_gamma=1.0)
    stacked = Stacked(at_once)
    for _ in range(2):
        losses = stacked.step()
        assert losses.shape == (3,)
        assert losses.tolist() == pytest.approx([float(trainer.step()) for trainer in in_turn], rel=1e-5)
    stacked.hand_over()
    for one, other in zip(in_turn, at_once, strict=True):
        gradients = [{i: p.grad for i, p in enumerate(t.discriminator.parameters())} for t in (one, other)]
        assert close(*gradients, rel=1e-4)
        buffers = [dict(t.generator.named_buffers()) for t in (one, other)]
        assert close(*buffers, rel=1e-4)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("training", [{"ema": 0.99, "lr": 5e-4}, {"loss": "wgan", "lr_decay": 0.5}])
def test_over_many_updates_nothing_but_rounding_differs(training):
    in_turn, at_once = (trainers(load_task("digits", {"width": 8}), updates=200, **training) for _ in range(2))
    stacked = Stacked(at_once)
    losses = torch.stack([stacked.step() for _ in range(200)], 1)
    assert losses.dtype == torch.float64
    for one, at_once_losses in zip(in_turn, losses, strict=True):
        assert torch.allclose(torch.stack([one.step() for _ in range(200)]), at_once_losses, rtol=1e-8)


def test_what_is_resumed_equals_what_is_unbroken_bit_for_bit():
    options = {"ema": 0.9, "lr_decay": 0.5, "update_ratio": 1.5}
    task = load_task("digits", {"width": 8})
    whole, cut, resumed = (trainers(task, **options) for _ in range(3))
    probes = list(run(whole))
    seen = [probe for _, probe in zip(range(20), run(cut), strict=False)]
    file = io.BytesIO()
    torch.save([trainer.state() for trainer in cut], file)
    file.seek(0)
    for trainer, state in zip(resumed, torch.load(file, weights_only=True), strict=True):
        trainer.load_state(state)
    assert repr(seen + list(run(resumed))) == repr(probes)
    for a, b in zip(whole, resumed, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(tensors(a).values(), tensors(b).values(), strict=True))
        assert (a.samples(50) == b.samples(50)).all()
        assert a.result().distance == b.result().distance


def test_a_seed_that_diverges_leaves_the_others_as_they_were():
    task = load_task("ring", {"width": 16})
    whole, broken = trainers(task), trainers(task)
    broken[1].discriminator[0].weight.data.fill_(1e30)
    list(run(whole))
    probes = list(run(broken))
    assert broken[1].updates < broken[0].updates == 60
    assert sum(1 in both for both in probes) < sum(0 in both for both in probes) == len(probes)
    assert [trainer.result().status for trainer in broken] == ["complete", "failed", "complete"]
    for i in (0, 2):
        assert close(tensors(whole[i]), tensors(broken[i]), rel=1e-3)


def test_the_last_seed_trains_on_alone():
    task = load_task("ring", {"width": 16})
    pair, alone = trainers(task, seeds=(3, 4)), trainers(task, seeds=(3,))
    pair[1].discriminator[0].weight.data.fill_(1e30)
    last = list(run(pair))[-1]
    assert list(last) == [0]
    *_, expected = alone[0].run()
    assert numbers(last[0]) == pytest.approx(numbers(expected), rel=1e-2, abs=1e-3, nan_ok=True)


class Counting(nn.Linear):
    def forward(self, samples):
        self.calls = getattr(self, "calls", 0) + 1
        return super().forward(samples)


class Fixed(nn.Linear):
    """Each copy has a scale of its own, which is no buffer."""

    def __init__(self):
        super().__init__(3, 1)
        self.scale = torch.rand(3)

    def forward(self, samples):
        return super().forward(samples * self.scale)


class Branching(nn.Linear):
    def forward(self, samples):
        return super().forward(samples if samples.mean() > 0 else -samples)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 1)
        self.second.weight = self.first.weight

    def forward(self, samples):
        return self.last(torch.relu(self.second(torch.relu(self.first(samples)))))


@pytest.mark.parametrize(
    ("discriminator", "why"),
    [
        (lambda: nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.2), nn.Linear(8, 1)), "random"),
        (lambda: parametrizations.spectral_norm(nn.Linear(3, 1)), "atching"),
        (lambda: spectral_norm(nn.Linear(3, 1)), ""),
        (lambda: Counting(3, 1), "attributes"),
        (Fixed, "do not compute"),
        (lambda: Branching(3, 1), "control flow"),
        (lambda: nn.Sequential(nn.BatchNorm1d(3, momentum=None), nn.Linear(3, 1)), ".item()"),
        (lambda: nn.Sequential(nn.Linear(3, 300), nn.Linear(300, 300), nn.Linear(300, 1)), f"{MOST_WEIGHTS_ON_CPU:,}"),
    ],
    ids=["dropout", "spectral norm", "its older hook", "counter", "constant", "branch", "mean of all", "large"],
)
def test_networks_that_cannot_be_batched_are_refused_with_the_reason(discriminator, why):
    reason = refusal(trainers(Points(discriminator)))
    assert reason
    assert why in reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    "discriminator",
    [
        Tied,
        lambda: nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Linear(8, 1)),
        lambda: nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 1)),
    ],
    ids=["tied weights", "batch norm", "layer norm"],
)
def test_other_networks_train_at_once(discriminator):
    in_turn, at_once = (trainers(Points(discriminator), optimizer="sgd", lr=0.05, gp=1.0) for _ in range(2))
    assert refusal(at_once) == ""
    list(run(at_once))
    for a, b in zip(in_turn, at_once, strict=True):
        list(a.run())
        assert close(tensors(a), tensors(b), rel=1e-3)


def test_a_weight_without_gradient_stays():
    def frozen():
        network = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
        network[0].weight.requires_grad_(False)
        return network

    pair = trainers(Points(frozen))
    before = [trainer.discriminator[0].weight.clone() for trainer in pair]
    list(run(pair))
    assert all(torch.equal(w, t.discriminator[0].weight) for w, t in zip(before, pair, strict=True))


def test_weights_that_nothing_uses_stay_and_are_refused_where_they_would_decay():
    class Idle(nn.Linear):
        def __init__(self):
            super().__init__(3, 1)
            self.idle = nn.Parameter(torch.ones(2))

    pair = trainers(Points(Idle), seeds=(3, 4))
    assert refusal(pair) == ""
    list(run(pair))
    assert all(torch.equal(trainer.discriminator.idle, torch.ones(2)) for trainer in pair)
    assert "decay" in refusal(trainers(Points(Idle), seeds=(3, 4), weight_decay=0.1))


def test_a_refusal_changes_nothing():
    task = load_task("digits", {"width": 8})
    asked, fresh = trainers(task, ema=0.9), trainers(task, ema=0.9)
    outside = torch.get_rng_state()
    assert refusal(asked) == ""
    assert torch.equal(outside, torch.get_rng_state())
    assert repr(list(asked[0].run())) == repr(list(fresh[0].run()))


def test_a_balance_that_each_seed_holds_for_itself_is_refused():
    assert "held" in refusal(trainers(load_task("ring", {"width": 16}), balance="held"))


def test_data_without_end_may_draw_from_the_global_state():
    class Endless(Points):
        def real_batch(self, n, generator):
            return torch.randn(n, 3, generator=generator) + torch.rand(1)

    task = Endless(lambda: nn.Linear(3, 1))
    in_turn, at_once = (trainers(task, optimizer="sgd") for _ in range(2))
    list(run(at_once))
    for a, b in zip(in_turn, at_once, strict=True):
        list(a.run())
        assert close(tensors(a), tensors(b), rel=1e-4)


MIXED = [
    {"lr": 1e-3, "lr_ratio": 2.0, "beta1": 0.0, "ema": 0.9, "r1_gamma": 1.0},
    {"lr": 2e-4, "update_ratio": 2.5, "pretrain_steps": 5, "ema": 0.99, "clip_grad": 0.1, "weight_decay": 0.1},
    {
        **{"lr_d": 5e-4, "lr_g": 1e-3, "update_ratio": 0.5, "lr_decay": 0.5, "ema": 0.9},
        "schedule": [{"after": 20, "lr_d": 1e-4, "r1_gamma": 0.5, "update_ratio": 1, "beta2": 0.9, "ema": 0.5}],
    },
]
"""Configurations with other numbers, penalties, turns and schedules."""


def configurations(task, shared=(), own=MIXED, **more):
    given = [{**BUDGET, **dict(shared), **fields, **more} for fields in own]
    return [Trainer(task, Training(**fields), seed=7) for fields in given]


@pytest.mark.parametrize("task", ["ring", "digits"])
@pytest.mark.parametrize(
    "shared",
    [
        {},
        {"optimizer": "adamw"},
        {"optimizer": "sgd", "loss": "lsgan", "instance_noise": 0.1, "accumulate": 2},
        {"optimizer": "sgd", "loss": "wgan", "gp": 1.0},
        {"optimizer": "sgd", "loss": "wgan", "weight_clip": 0.05, "r1_every": 3},
        {"loss": "relativistic", "top_k": 0.5, "optimizer": "sgd"},
    ],
    ids=lambda shared: "-".join(map(str, shared.values())) or "adam",
)
def test_configurations_at_once_have_the_probes_and_networks_that_they_have_alone(task, shared):
    task = load_task(task, {"width": 8})
    alone, at_once = (configurations(task, shared) for _ in range(2))
    assert refusal(at_once) == ""
    probes = list(run(at_once))
    for place, (one, row) in enumerate(zip(alone, at_once, strict=True)):
        own = list(one.run())
        assert len(own) == len(probes)
        for expected, found in zip(own, probes, strict=True):
            assert numbers(found[place]) == pytest.approx(numbers(expected), rel=1e-3, abs=2e-4, nan_ok=True)
        assert (row.d_updates, row.g_updates) == (one.d_updates, one.g_updates)
        assert close(tensors(one), tensors(row), rel=1e-3)
        assert torch.equal(row.draws.get_state(), one.draws.get_state())
        steps = [float(state["step"]) for state in row.optimizer_d.state.values() if "step" in state]
        assert all(step == row.d_updates for step in steps)


def test_configurations_have_different_results():
    rows = configurations(load_task("ring", {"width": 8}))
    *_, last = run(rows)
    assert len({round(probe.loss_d, 3) for probe in last.values()}) == len(MIXED)
    assert len({(row.d_updates, row.g_updates) for row in rows}) == len(MIXED)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop"])
def test_over_many_updates_of_other_configurations_nothing_but_rounding_differs(optimizer):
    task = load_task("ring", {"width": 8})
    alone, at_once = (configurations(task, optimizer=optimizer, updates=200) for _ in range(2))
    Stacked(at_once).advance(200)
    for one, row in zip(alone, at_once, strict=True):
        for _ in range(200):
            one.step()
        assert close(tensors(one), tensors(row), rel=1e-6)


def test_a_row_that_diverges_and_one_that_is_stopped_leave_the_third_as_it_was():
    task = load_task("ring", {"width": 16})
    whole, broken = configurations(task), configurations(task)
    broken[0].discriminator[0].weight.data.fill_(1e30)
    list(run(whole))
    for done, _ in enumerate(run(broken)):
        if done == 10:
            broken[1].stopped = "a rung"
    assert [trainer.result().status for trainer in broken] == ["failed", "pruned", "complete"]
    assert broken[0].updates < broken[1].updates < broken[2].updates == 60
    assert close(tensors(whole[2]), tensors(broken[2]), rel=1e-3)


def test_a_row_is_saved_by_itself_and_goes_on_alone():
    task = load_task("ring", {"width": 16})
    whole, cut = configurations(task), configurations(task)
    list(run(whole))
    for _, _ in zip(range(20), run(cut), strict=False):
        pass
    for place, fields in enumerate(MIXED):
        file, alone = io.BytesIO(), io.BytesIO()
        torch.save(cut[place].state(), file)
        (fresh,) = configurations(task, own=[fields])
        next(fresh.run())
        torch.save(fresh.state(), alone)
        assert len(file.getvalue()) < 1.2 * len(alone.getvalue())  # without the other rows
        file.seek(0)
        (resumed,) = configurations(task, own=[fields])
        resumed.load_state(torch.load(file, weights_only=True))
        list(resumed.run())
        assert close(tensors(whole[place]), tensors(resumed), rel=1e-3)


def test_the_turns_of_most_go_first_and_nobody_goes_past_the_probe():
    rows = configurations(load_task("ring", {"width": 8}))
    stacked = Stacked(rows)
    assert len(stacked.step()) == 3  # D's of all
    stacked.advance(12)
    assert [row.updates for row in rows] == [12, 12, 12]


@pytest.mark.parametrize(
    ("own", "why"),
    [
        ([{"batch_size": 8}, {}], "batch_size differs"),
        ([{"loss": "wgan", "gp": 0.0}, {"loss": "wgan"}], "gp is 0 in some"),
        ([{"ema": 0.9}, {}], "ema is 0 in some"),
        ([{"instance_noise": 0.1}, {}], "instance_noise is 0 in some"),
        ([{"top_k": 0.5, "top_k_anneal": 0.5, "update_ratio": ratio} for ratio in (1, 2)], "update_ratio differs"),
        ([{"gp": 1.0, "r1_every": 4, "pretrain_steps": steps} for steps in (0, 2)], "pretrain_steps differs"),
        ([{"gp": 1.0, "r1_every": 4, "lr": lr} for lr in (1e-3, 2e-3)], ""),
        ([{"r1_gamma": 1.0}, {}], ""),
    ],
)
def test_configurations_that_need_another_computation_are_refused(own, why):
    found = refusal(configurations(load_task("ring", {"width": 8}), own=own))
    assert (why in found) if why else not found
