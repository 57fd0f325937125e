"""Steps of several optimizers at once: those that torch's own make, to rounding."""

import copy
import math

import pytest
import torch
from torch import nn

from gansearch.gan.updates.row_optimizer import RowOptimizer
from gansearch.gan.updates.vmapped import Copies

KINDS = {
    "adam": lambda p, **own: torch.optim.Adam(p, **own),
    "adamw": lambda p, **own: torch.optim.AdamW(p, **own),
    "rmsprop": lambda p, lr, weight_decay, betas: torch.optim.RMSprop(p, lr, weight_decay=weight_decay),
    "sgd": lambda p, lr, weight_decay, betas: torch.optim.SGD(p, lr, weight_decay=weight_decay),
}
OWN = [
    {"lr": 1e-2, "weight_decay": 0.0, "betas": (0.5, 0.999)},
    {"lr": 1e-3, "weight_decay": 0.1, "betas": (0.0, 0.9)},
    {"lr": 1e-1, "weight_decay": 0.0, "betas": (0.9, 0.99)},
]


def column(values):
    return values[0] if len(set(values)) == 1 else torch.tensor(values, dtype=torch.float64).unsqueeze(1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("own", [OWN, OWN[:1] * 3], ids=["own options", "the same options"])
@pytest.mark.parametrize("captured", [False, True], ids=["", "captured"])
def test_rows_make_the_steps_of_their_own_optimizers(kind, own, captured):
    make, losses = KINDS[kind], [lambda w: w.square().sum(), lambda w: (w - 1).abs().sum()]
    networks = [nn.Linear(3, 2).double() for _ in own]
    alone = copy.deepcopy(networks)
    optimizers, expected = (
        [make(n.parameters(), **o) for n, o in zip(ns, own, strict=True)] for ns in (networks, alone)
    )
    copies = Copies(networks)
    rows = RowOptimizer(copies, networks, optimizers, make([copies.weights], **own[0]), captured)
    done = [0, 0, 0]
    for turn, chosen in enumerate([[0, 1, 2], [1], [0, 2], [0, 1, 2]]):
        place = None if len(chosen) == 3 else torch.tensor(chosen)
        copies.choose(place)
        copies.chosen.grad = None
        losses[turn % 2](copies.chosen).backward()
        done = [count + (row in chosen) for row, count in enumerate(done)]
        numbers = rows.numbers(chosen, [done[row] for row in chosen])
        assert bool(numbers) == (captured or place is not None or own is OWN)
        rows.step(place, {name: column(own) for name, own in numbers.items()})
        rows.stepped.update(chosen)
        for row in chosen:
            expected[row].zero_grad()
            sum(losses[turn % 2](p) for p in alone[row].parameters()).backward()
            expected[row].step()
    for row, (one, other) in enumerate(zip(networks, alone, strict=True)):
        rows.hand_over(row, done[row])
        for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.allclose(mine, theirs, rtol=1e-10)
            assert torch.equal(mine.grad, theirs.grad)
            for name, value in expected[row].state[theirs].items():
                if value is not None:
                    assert torch.allclose(optimizers[row].state[mine][name], value, rtol=1e-10)


def test_gradients_are_shortened_and_weights_cut_off_row_by_row():
    networks = [nn.Linear(3, 2) for _ in range(3)]
    optimizers = [torch.optim.SGD(n.parameters(), 1.0) for n in networks]
    copies = Copies(networks)
    rows = RowOptimizer(copies, networks, optimizers, torch.optim.SGD([copies.weights], 1.0))
    copies.weights.data.zero_()
    copies.weights.grad = gradient = torch.ones_like(copies.weights)
    rows.clip(column([math.inf, 0.1, 100.0]).float())
    assert gradient.norm(dim=1).tolist() == pytest.approx([8**0.5, 0.1, 8**0.5], rel=1e-4)
    rows.numbers([0, 1, 2], [1, 1, 1])
    rows.step(None, {"bound": column([0.5, math.inf, math.inf]).float()})
    assert copies.weights[:, 0].tolist() == pytest.approx([-0.5, -0.1 / 8**0.5, -1.0], rel=1e-4)


def test_a_row_without_a_step_keeps_its_gradient_and_begins_at_its_first_step():
    network = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters(), weight_decay=0.1)
    copies = Copies([network])
    rows = RowOptimizer(copies, [network], [optimizer], torch.optim.Adam([copies.weights]))
    rows.hand_over(0, 5)
    assert network.weight.grad is None
    assert all(not value.any() for state in optimizer.state.values() for value in state.values())


def test_a_parameter_without_a_gradient_gets_a_state_and_the_others_keep_theirs():
    network = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network.weight.grad = torch.ones_like(network.weight)
    optimizer.step()
    before = optimizer.state[network.weight]["exp_avg"].clone()
    copies = Copies([network])
    RowOptimizer(copies, [network], [optimizer], torch.optim.Adam([copies.weights]))
    assert torch.equal(optimizer.state[network.weight]["exp_avg"], before)
    assert not optimizer.state[network.bias]["exp_avg"].any()
    assert torch.equal(network.weight.grad, torch.ones_like(network.weight))
    assert network.bias.grad is None


def test_weights_of_several_types_are_refused():
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1).double())
    with pytest.raises(TypeError, match="one type"):
        Copies([network])
