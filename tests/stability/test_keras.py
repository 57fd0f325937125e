"""The callback in a GAN that is a keras.Model on torch, as Keras's examples write them."""

import os
import sys

import pytest
import torch
from torch.nn import functional as F

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="the integrations extra is not installed")

from gansearch.stability.keras import StabilityCallback  # noqa: E402

HELD_OUT = torch.randn(64, 2) + 3


class Gan(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator, self.discriminator = keras.layers.Dense(2), keras.layers.Dense(1)
        self.generator.build((None, 4))
        self.discriminator.build((None, 2))
        self.built = True

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    def train_step(self, real):
        real = real[0] if isinstance(real, tuple) else real
        losses = {}
        for network, optimizer in (("discriminator", self.d_optimizer), ("generator", self.g_optimizer)):
            self.zero_grad()
            fake = self.discriminator(self.generator(torch.randn(len(real), 4)))
            if network == "generator":
                loss = F.softplus(-fake).mean()
            else:
                loss = F.softplus(fake).mean() + F.softplus(-self.discriminator(real)).mean()
            loss.backward()
            weights = getattr(self, network).trainable_weights
            with torch.no_grad():
                optimizer.apply([weight.value.grad for weight in weights], weights)
            losses[f"{network}_loss"] = loss.detach()
        return losses


def probe(gan):
    return gan.discriminator(HELD_OUT), gan.discriminator(gan.generator(torch.randn(64, 4)))


def test_the_callback_probes_logs_and_prints(capsys):
    callback, gan = StabilityCallback(probe, every=5), Gan()
    gan.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    data = torch.randn(160, 2) + 3
    history = gan.fit(data, batch_size=16, epochs=3, callbacks=[callback], verbose=0)
    assert [row.step for row in callback.monitor.rows()] == [5, 10, 15, 20, 25, 30]
    assert history.history["stability"][-1] == pytest.approx(callback.report.stability)
    assert callback.report.verdict in capsys.readouterr().out


def test_two_callbacks_have_a_name_each(capsys):
    one, two = (StabilityCallback(probe, every=5, name=name) for name in ("D_A", "D_B"))
    gan = Gan()
    gan.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    history = gan.fit(torch.randn(80, 2) + 3, batch_size=16, callbacks=[one, two], verbose=0).history
    assert history["D_A_stability"][-1] == pytest.approx(one.report.stability)
    assert "D_B_separability" in history
    assert f"D_B: {two.report}" in capsys.readouterr().out


def test_without_keras_on_torch_the_error_says_what_to_do(monkeypatch):
    monkeypatch.delitem(sys.modules, "gansearch.stability.keras")
    with monkeypatch.context() as patch:
        patch.setattr(keras.backend, "backend", lambda: "jax")
        with pytest.raises(ImportError, match="KERAS_BACKEND=torch"):
            import gansearch.stability.keras
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(ImportError, match=r"gansearch\[integrations\]"):
        import gansearch.stability.keras  # noqa: F401
