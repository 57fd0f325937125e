"""The tasks of the library itself on a pretended GPU, from their data to their results."""

import inspect

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from gansearch.experiment import Training
from gansearch.gan import Trainer, check_task, load_task
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
