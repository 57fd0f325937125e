"""The tasks of the library itself on a pretended GPU, from their data to their results."""

import inspect
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Task, TaskError, Trainer, check_task, load_task
from gansearch.gan.features.pretrained import _SOURCES, Network, picture_features
from gansearch.gan.user_code import user_traceback
from gansearch.stability.referee import referee


@pytest.fixture
def data(tmp_path):
    """A folder with sixty sounds, sixty pictures and a text."""
    draws = np.random.default_rng(0)
    for name in ("sounds", "pictures", "texts"):
        (tmp_path / name).mkdir()
    for i in range(60):
        soundfile.write(tmp_path / "sounds" / f"{i}.wav", np.sin(np.arange(1000) * (0.1 + 0.01 * i)) / 2, 4000)
        pixels = draws.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{i}.png")
    (tmp_path / "texts" / "module.txt").write_text(inspect.getsource(inspect))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ring", {"width": 16}),
        ("table", {"path": "sklearn:iris", "width": 8}),
        ("table", {"path": "sklearn:iris", "width": 8, "encoding": "scores"}),
        ("audio", {"path": "sounds", "seconds": 0.25, "width": 4, "networks": "spectrum"}),
        ("audio", {"path": "sounds", "seconds": 0.25, "width": 2, "networks": "wave"}),
        ("prose", {"path": "texts", "width": 8, "blocks": 1, "length": 16}),
        ("images", {"path": "pictures", "size": 16, "width": 8}),
        ("images", {"path": "pictures", "size": 16, "width": 8, "distance": "kid"}),
    ],
)
def test_a_task_trains_and_is_judged_on_a_gpu(cuda, data, monkeypatch, name, options):
    monkeypatch.chdir(data)
    monkeypatch.setenv("GANSEARCH_CACHE", str(data / "cache"))
    monkeypatch.setitem(referee.__kwdefaults__, "steps", 2)
    task = load_task(name, options)
    check_task(task, "cuda")
    trainer = Trainer(task, Training(updates=8, batch_size=8, ema=0.9), device="cuda")
    trainer.step()
    trainer.step()
    trainer.probe()  # what a task keeps on the device is there now
    with cuda.waits() as seen:
        for _ in range(6):
            trainer.step()
    assert seen == {}
    with cuda.waits() as seen:
        trainer.probe()
    assert sum(seen.values()) <= 2
    with cuda.little_memory():
        on_host = Trainer(load_task(name, options), Training(updates=8, batch_size=8), device="cuda")
    with cuda.waits() as seen:
        for _ in range(4):
            on_host.step()
    assert on_host.data.real.device.type == "cpu"
    assert not any("data.py" in line for line in seen)
    assert torch.isfinite(torch.from_numpy(trainer.result().samples)).all()
    graphed = Trainer(task, Training(updates=64, batch_size=8, graph=True), device="cuda")
    for _ in range(12):
        graphed.step()
    assert graphed.remark() == ""


class Mean(nn.Module):
    """As a network of transformers: the mean of each colour."""

    config = SimpleNamespace(hidden_size=3, image_size=8)

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, pixel_values):
        return SimpleNamespace(pooler_output=self.scale * pixel_values.mean((2, 3)))


def test_networks_of_features_compute_on_the_gpu_from_their_first_use(cuda):
    network = Network(_SOURCES["dinov2"], Mean(), "")
    assert network.model.scale.device.type == "cpu"  # so that a process that has loaded it can be forked
    features = picture_features(torch.rand(60, 1, 16, 16) * 2 - 1, network)
    assert network.model.scale.device.type == "cuda"
    assert (features.device.type, features.shape) == ("cpu", (60, 3))


class OnHost(Task):
    """What it draws and looks up is on the CPU, whatever device it is asked for."""

    latent_dim = 2
    levels = torch.linspace(-1, 1, 256)

    def real_batch(self, n, generator):
        return torch.randn(n, 2, generator=generator)

    def generator(self):
        return nn.Linear(2, 2)

    def discriminator(self):
        return nn.Linear(2, 1)


class LooksUp(OnHost):
    real_batch = Task.real_batch

    def real(self):
        return torch.zeros(100, 2, dtype=torch.uint8)

    def unpacked(self, stored):
        return self.levels[stored.long()]


class AddsConstant(LooksUp):
    unpacked = Task.unpacked

    def generator(self):
        class Network(nn.Linear):
            def forward(self, z):
                return super().forward(z) + torch.ones(2)

        return Network(2, 2)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [(OnHost, "device=generator.device"), (LooksUp, "table.to(x.device)"), (AddsConstant, "device=x.device")],
)
def test_tensors_of_the_host_in_a_users_task_are_explained(cuda, kind, hint):
    def train(device):
        check_task(task := kind(), device)
        Trainer(task, Training(updates=8), device=device).step()

    train("cpu")
    with pytest.raises((TaskError, RuntimeError)) as caught:
        train("cuda")
    text = str(caught.value) if isinstance(caught.value, TaskError) else user_traceback(caught.value)
    assert "hint: " in text
    assert hint in text
