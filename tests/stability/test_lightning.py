"""The callback in a GAN that is a LightningModule, as its users write them."""

import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

pl = pytest.importorskip("pytorch_lightning", reason="the lightning extra is not installed")

from gansearch.stability.lightning import StabilityCallback  # noqa: E402


class Gan(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.discriminator = nn.Linear(4, 2), nn.Linear(2, 1)

    def configure_optimizers(self):
        return [torch.optim.Adam(network.parameters(), 1e-2) for network in (self.discriminator, self.generator)]

    def training_step(self, batch, _):
        for optimizer, network in zip(self.optimizers(), ("d", "g"), strict=True):
            fake = self.discriminator(self.generator(torch.randn(len(batch), 4)))
            loss = F.softplus(-fake).mean() if network == "g" else F.softplus(fake).mean()
            if network == "d":
                loss = loss + F.softplus(-self.discriminator(batch)).mean()
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()


HELD_OUT = torch.randn(64, 2) + 3


def probe(gan):
    return gan.discriminator(HELD_OUT), gan.discriminator(gan.generator(torch.randn(64, 4)))


def trained(callback, folder, epochs=3, checkpoint=None, others=()):
    trainer = pl.Trainer(
        max_epochs=epochs, callbacks=[callback, *others], logger=False, accelerator="cpu", default_root_dir=folder,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    data = torch.utils.data.DataLoader(torch.randn(160, 2) + 3, batch_size=16)
    trainer.fit(Gan(), data, ckpt_path=checkpoint)
    return trainer


@pytest.mark.filterwarnings("ignore")
def test_the_callback_probes_logs_and_prints(tmp_path, capsys):
    callback = StabilityCallback(probe, every=5)
    trainer = trained(callback, tmp_path)
    assert [row.step for row in callback.monitor.rows()] == [5, 10, 15, 20, 25, 30]
    assert float(trainer.callback_metrics["stability"]) == pytest.approx(callback.report.stability)
    assert callback.report.verdict in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore")
def test_the_callback_continues_from_a_checkpoint(tmp_path):
    trained(StabilityCallback(probe, every=5), tmp_path, epochs=1).save_checkpoint(tmp_path / "one.ckpt")
    callback = StabilityCallback(probe, every=5)
    trained(callback, tmp_path, epochs=2, checkpoint=tmp_path / "one.ckpt")
    assert [row.step for row in callback.monitor.rows()] == [5, 10, 15, 20]


@pytest.mark.filterwarnings("ignore")
def test_two_callbacks_have_a_name_each(tmp_path, capsys):
    one, two = (StabilityCallback(probe, every=5, name=name) for name in ("D_A", "D_B"))
    trainer = trained(one, tmp_path, others=[two])
    assert float(trainer.callback_metrics["D_A_stability"]) == pytest.approx(one.report.stability)
    assert "D_B_separability" in trainer.callback_metrics
    assert f"D_B: {two.report}" in capsys.readouterr().out
    assert StabilityCallback(probe).state_key == "StabilityCallback"


def test_without_lightning_the_error_names_the_extra(monkeypatch):
    for name in ("pytorch_lightning", "lightning", "lightning.pytorch"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "gansearch.stability.lightning")
    with pytest.raises(ImportError, match=r"gansearch\[lightning\]"):
        import gansearch.stability.lightning  # noqa: F401


def test_every_is_at_least_one():
    with pytest.raises(ValueError, match="every must be at least 1 batch, not 0"):
        StabilityCallback(probe, every=0)
