"""What is printed of a run for benchmarks/diagnose.py, and the tables that are made of it."""

import json

import pandas as pd
import pytest
import torch

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task


@pytest.fixture(scope="module")
def runs(benchmarks):
    return benchmarks("diagnose_runs")


@pytest.mark.parametrize("loss", ["non_saturating", "hinge"])
def test_each_update_of_g_is_a_line_without_penalties_and_the_training_is_the_same(runs, loss):
    training = Training(updates=60, batch_size=16, loss=loss, r1_gamma=5.0, pretrain_steps=10)
    plain, printed = (Trainer(load_task("ring", {}), training, seed=3) for _ in range(2))
    printer = runs.Printer(printed)
    for trainer in (plain, printed):
        list(trainer.run())
    assert torch.equal(next(plain.generator.parameters()), next(printed.generator.parameters()))
    table = printer.table()
    assert table.step.tolist() == list(range(printed.g_updates))
    if loss == "non_saturating":
        assert table.real.between(0, 1).all()
        sides = torch.exp(-torch.tensor(table.loss_g.to_numpy()))
        assert (sides <= torch.tensor(table.fake_after.to_numpy()) + 1e-5).all()


def test_configurations_are_fixed_and_of_every_group(runs):
    drawn = [runs.configuration("ring", index) for index in range(20)]
    assert drawn == [runs.configuration("ring", index) for index in range(20)]
    assert {one["group"] for one in drawn} == {"space", "narrow", "default", "loss", "fault"}
    for one in drawn:
        Training(**{key: value for key, value in one.items() if key not in ("group", "sigmoid")})


def test_the_reference_is_judged(benchmarks, capsys, monkeypatch):
    diagnose = benchmarks("diagnose")
    monkeypatch.setattr("sys.argv", ["diagnose.py", "--quick", "--runs", str(diagnose.REFERENCE / "diagnose")])
    diagnose.main()
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    table = pd.read_parquet(diagnose.REFERENCE / "diagnose" / "runs.parquet")
    assert last["ok"]
    assert last["figures"]["runs"] == len(table)
    assert last["figures"]["false_alarms"] == 0
    assert last["figures"]["healthy"] == (table.verdict == "balanced").sum()
