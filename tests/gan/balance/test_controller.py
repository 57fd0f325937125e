import io
import itertools
import math

import pytest
import torch

import gansearch
from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task
from gansearch.gan.balance.controller import BalanceController

HELD = {"updates": 300, "batch_size": 32, "balance": "held", "lr": 1e-3}
RIGHT, WRONG = (torch.ones(8), torch.zeros(8)), (torch.zeros(8), torch.ones(8))


def turns(controller, scores, n=200):
    """Whose turn it is, n times; `scores(k)` are D's real and fake ones in the k-th update."""
    taken = []
    for k in range(n):
        taken.append(controller.discriminators_turn())
        if taken[-1]:
            controller.update(*scores(k))
    return taken


def longest_runs(taken):
    runs = [(who, len(list(run))) for who, run in itertools.groupby(taken)]
    return [max(length for who, length in runs if who == wanted) for wanted in (True, False)]


def test_the_separability_stays_at_its_target():
    draws = torch.Generator().manual_seed(0)
    for target in (0.6, 0.75, 0.9):
        controller, shift, seen = gansearch.BalanceController(target), 0.0, []
        for _ in range(3000):
            # D's updates drive real and fake apart, G's together: separability Φ(shift/√2).
            turn_d = controller.discriminators_turn()
            shift += 0.01 if turn_d else -0.015
            if turn_d:
                real, fake = torch.randn(2, 64, generator=draws)
                controller.update(real + shift, fake)
            seen.append(0.5 * (1 + math.erf(shift / 2)))
        held = seen[500:]
        assert sum(held) / len(held) == pytest.approx(target, abs=0.03)
        assert max(abs(value - target) for value in held) < 0.15


def test_no_network_has_more_turns_in_a_row_than_its_limit():
    assert longest_runs(turns(BalanceController(), lambda k: RIGHT)) == [1, 2]
    assert longest_runs(turns(BalanceController(), lambda k: WRONG)) == [8, 1]


def test_a_turn_is_decided_from_scores_that_are_3_to_5_updates_old():
    for change_at in range(20, 40):
        controller, seen = BalanceController(), []
        for k in range(60):
            if controller.discriminators_turn():
                controller.update(*(WRONG if k < change_at else RIGHT))
            seen.append(controller.separability)
        assert set(seen[3 : change_at + 3]) == {0.0}
        assert all(value > 0 for value in seen[change_at + 3 + 2 :])


def test_a_decision_waits_for_no_device():
    # A meta tensor has no value to wait for: reading it raises.
    controller = BalanceController()
    for _ in range(3):
        controller.discriminators_turn()
        controller.update(torch.empty(8, 1, device="meta"), torch.empty(8, device="meta"))
    with pytest.raises((RuntimeError, NotImplementedError)):
        controller.discriminators_turn()


def test_a_loaded_controller_continues_exactly():
    draws = torch.Generator().manual_seed(0)
    scores = [(torch.randn(16, generator=draws) + k / 100, torch.randn(16, generator=draws)) for k in range(200)]
    unbroken = turns(BalanceController(0.8), lambda k: scores[k])
    for end in (0, 3, 50, 101):
        first, second = BalanceController(0.8), BalanceController(0.8)
        begun = turns(first, lambda k: scores[k], end)
        second.load_state(first.state())
        assert begun + turns(second, lambda k: scores[end + k], 200 - end) == unbroken  # noqa: B023


def test_updates_beyond_its_turns_count():
    controller = BalanceController(0.8)
    for _ in range(100):
        controller.update(*RIGHT)
    controller.discriminators_turn()
    assert controller.separability == 1.0


@pytest.mark.parametrize("target", [0.4, 1.0, math.nan])
def test_a_target_that_cannot_be_held_is_refused(target):
    with pytest.raises(ValueError, match=r"at least 0\.5 and below 1"):
        BalanceController(target)


def test_the_trainer_holds_the_balance_after_pretraining():
    shares = {}
    for target in (0.55, 0.95):
        trainer = Trainer(load_task("ring"), Training(**HELD, pretrain_steps=20, target_separability=target))
        for _ in range(20):
            trainer.step()
        assert (trainer.d_updates, trainer.g_updates) == (20, 0)
        list(trainer.run())
        assert trainer.updates == 300
        shares[target] = trainer.d_updates / 300
    assert shares[0.55] < shares[0.95] - 0.1


@pytest.mark.parametrize(
    "options",
    [
        {"balance": "held", "pretrain_steps": 7},
        {"balance": "gap_aware", "lr_decay": 0.5, "update_ratio": 2.0},
        {"balance": "gap_aware", "optimizer": "sgd"},
    ],
)
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(options):
    training = Training(**{**HELD, "updates": 120, **options})
    task = load_task("ring")
    unbroken = Trainer(task, training, seed=1)
    probes = list(unbroken.run())
    first = Trainer(task, training, seed=1)
    seen = [probe for _, probe in zip(range(23), first.run(), strict=False)]
    file = io.BytesIO()
    torch.save(first.state(), file)
    file.seek(0)
    second = Trainer(task, training, seed=1)
    second.load_state(torch.load(file, weights_only=True))
    assert [repr(p) for p in [*seen, *second.run()]] == [repr(p) for p in probes]
    assert torch.equal(second.samples(9), unbroken.samples(9))
