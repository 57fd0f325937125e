"""The handler in an engine of Ignite, in MONAI's trainer of GANs, and the monitor in a script with accelerate."""

import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

pytest.importorskip("ignite", reason="the integrations extra is not installed")
from ignite.engine import Engine

from gansearch import StabilityMonitor
from gansearch.stability.ignite import StabilityHandler

HELD_OUT = torch.randn(64, 2) + 3


def test_an_engine_is_probed(capsys):
    handler = StabilityHandler(lambda engine: (HELD_OUT[:, 0], torch.randn(64)), every=5)
    engine = Engine(lambda engine, batch: None)
    handler.attach(engine)
    engine.run(range(10), max_epochs=3)
    assert [row.step for row in handler.monitor.rows()] == [5, 10, 15, 20, 25, 30]
    assert engine.state.metrics["stability"] == pytest.approx(handler.report.stability)
    assert handler.report.verdict in capsys.readouterr().out
    again = StabilityHandler(handler._probes.probe, every=5)
    again.load_state_dict(handler.state_dict())
    again.attach(engine)
    engine.run(range(10), max_epochs=4)
    assert again.monitor.rows()[-1].step == 40


def test_two_handlers_have_a_name_each(capsys):
    one, two = (
        StabilityHandler(lambda engine: (HELD_OUT[:, 0], torch.randn(64)), every=5, name=name) for name in ("A", "B")
    )
    engine = Engine(lambda engine, batch: None)
    one.attach(engine)
    two.attach(engine)
    engine.run(range(10))
    assert engine.state.metrics["A_stability"] == pytest.approx(one.report.stability)
    assert "B_separability" in engine.state.metrics
    assert f"B: {two.report}" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore")
def test_monai_s_trainer_of_gans_is_probed():
    pytest.importorskip("monai", reason="the integrations extra is not installed")
    from monai.data import DataLoader, Dataset
    from monai.engines import GanTrainer
    from monai.utils import GanKeys

    generator, discriminator = nn.Linear(4, 2), nn.Linear(2, 1)

    def loss_d(fakes, reals):
        return F.softplus(discriminator(fakes.detach())).mean() + F.softplus(-discriminator(reals)).mean()

    handler = StabilityHandler(
        lambda engine: (engine.d_network(HELD_OUT), engine.d_network(engine.g_network(torch.randn(64, 4)))), every=5
    )
    trainer = GanTrainer(
        torch.device("cpu"),
        3,
        DataLoader(Dataset([{GanKeys.REALS: row} for row in torch.randn(80, 2) + 3]), batch_size=8),
        generator,
        torch.optim.Adam(generator.parameters(), 1e-2),
        lambda scores: F.softplus(-scores).mean(),
        discriminator,
        torch.optim.Adam(discriminator.parameters(), 1e-2),
        loss_d,
        latent_shape=4,
        train_handlers=[handler],
    )
    trainer.run()
    assert [row.step for row in handler.monitor.rows()] == [5, 10, 15, 20, 25, 30]
    assert trainer.state.metrics["stability"] == pytest.approx(handler.report.stability)


def test_a_script_with_accelerate_gathers_the_scores_of_all_processes():
    accelerate = pytest.importorskip("accelerate", reason="the integrations extra is not installed")
    accelerator = accelerate.Accelerator(cpu=True)
    discriminator, monitor = accelerator.prepare(nn.Linear(2, 1)), StabilityMonitor()
    for step in range(5):
        with torch.no_grad():
            scores = discriminator(HELD_OUT), discriminator(torch.randn(64, 2))
        monitor.update(*accelerator.gather(scores), step)
    assert sum(row.n_real for row in monitor.rows()) == 5 * len(HELD_OUT)


def test_without_ignite_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ignite.engine", None)
    monkeypatch.delitem(sys.modules, "gansearch.stability.ignite")
    with pytest.raises(ImportError, match=r"gansearch\[integrations\]"):
        import gansearch.stability.ignite  # noqa: F401
