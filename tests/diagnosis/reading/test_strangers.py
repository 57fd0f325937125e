"""Logs in the manner of people's own scripts: what is read of each."""

import numpy as np
import pytest

from gansearch.diagnosis.reading import LogReader

I = range(20)  # noqa: E741
DG = [(0.3 + i / 100, 1.3 + i / 100) for i in I]


def lines(template, **more):
    return "".join(
        template.format(i=i, n=i + 1, b=i % 5, e=i // 5, p=5 * i, d=d, g=g, **more) for i, (d, g) in enumerate(DG)
    )


LOGS = {
    "Keras, one line an epoch": (
        lines("Epoch {n}/20\n118/118 - 10s - d_loss: {d:.4f} - g_loss: {g:.4f} - 10s/epoch - 85ms/step\n"),
        "epoch",
        range(1, 21),
    ),
    "a bar with a name": (
        lines("Steps:  {p}%|█   | {i}0/1000 [00:10<01:40,  9.9it/s, gen_loss={g:.3f}, disc_loss={d:.3f}]\r"),
        "step",
        range(0, 200, 10),
    ),
    "validation between": (
        lines("Train Epoch {i}: d_loss={d:.4f} g_loss={g:.4f}\nVal Epoch {i}: d_loss=9.5 g_loss=9.5\n"),
        "epoch",
        I,
    ),
    "pandas' index": (",d_loss,g_loss\n" + lines("{i},{d},{g}\n"), "step", I),
    "a printed data frame": ("    d_loss  g_loss\n" + lines("{i:2} {d:7.3f} {g:7.3f}\n"), "step", I),
    "markdown": ("| step | D loss | G loss |\n|---:|---:|---:|\n" + lines("| {i} | {d:.3f} | {g:.3f} |\n"), "step", I),
    "psql": (" iter | d_loss | g_loss\n------+-----+-----\n" + lines("{i:5} | {d:.3f} | {g:.3f}\n"), "step", I),
    "Excel": ("sep=;\nEpoch;D Loss;G Loss\n" + lines("{i};{d:.4f};{g:.4f}\n").replace(".", ","), "epoch", I),
    "absl": (
        lines("I0301 12:00:00.123456 140735 train.py:88] [{i}] g_loss: {g:.4f}, d_loss: {d:.4f}, r1: 0.1\n"),
        "step",
        I,
    ),
    "hydra": (
        lines("[2024-03-01 12:00,123][t][INFO] - epoch={i} | loss_d={d:.4f} | loss_g_adv={g:.4f} | loss_g=9.1\n"),
        "epoch",
        I,
    ),
    "Docker": (lines("trainer-1  | [Epoch {i}/60] D_loss: {d:.4f} | G_loss: {g:.4f}\n"), "epoch", I),
    "Kubernetes": (
        lines("2024-03-01T12:00:01.1Z stdout F Epoch {i}: Loss D: {d:.4f}, Loss G: {g:.4f}\n"),
        "epoch",
        I,
    ),
    "JSON with a text": (
        lines('{{"time": "2024-01-01", "level": "info", "message": "step {i} d_loss={d:.3f} g_loss={g:.3f}"}}\n'),
        "step",
        I,
    ),
    "nested JSON": (lines('{{"msg": {{"step": {i}, "losses": {{"D": {d:.3f}, "G": {g:.3f}}}}}}}\n'), "step", I),
    "TensorFlow's estimator": (
        lines(
            "INFO:tensorflow:loss = 9, discriminator_loss = {d:.5f}, generator_loss = {g:.5f}, step = {i} (12 sec)\n"
        ),
        "step",
        I,
    ),
    "TensorFlow 1": (
        lines("Epoch: [{e:2d}] [{b:4d}/   5] time: 1.5, d_loss: {d:.8f}, g_loss: {g:.8f}\n"),
        "step",
        I,
    ),
    "SRGAN": (
        lines("[{i}/60] Loss_D: {d:.4f} Loss_G: {g:.4f} D(x): 0.7: 100%|██| 9/9 [05:00<00:00]\nPSNR: 25.1 dB\n"),
        "epoch",
        I,
    ),
    "arrows": (lines("🚀 Epoch {i} ✅ 🔥 D loss → {d:.3f} 🎨 G loss → {g:.3f}\n"), "epoch", I),
    "lines of their own": (lines("Epoch: {i}\nD_loss: {d:.4f}\nG_loss: {g:.4f}\n-----------\n"), "epoch", I),
    "W&B's console": (lines("wandb: Step {i}\nwandb:   d_loss {d:.4f}\nwandb:   g_loss {g:.4f}\n"), "step", I),
    "Ray": (lines("\x1b[36m(train pid=1234)\x1b[0m step={i} d_loss={d:.3f} g_loss={g:.3f}\n"), "step", I),
    "two processes": (lines("[rank0] step {i} D 9.5 G 9.5\n[rank1] step {i} D {d:.4f} G {g:.4f}\n"), "step", I),
    "critics": (
        lines("Iteration: {i}, Critic loss: {d:.4f}, W distance: 2, GP: 0.1, Gen loss: {g:.4f}\n"),
        "step",
        I,
    ),
}


@pytest.mark.parametrize("name", LOGS)
def test_logs(name):
    text, step_name, steps = LOGS[name]
    reader = LogReader("train.log")
    reader.feed(text)
    reader.close()
    log = reader.log()
    (game,) = log.games
    np.testing.assert_allclose(game.values["d_loss"], [d for d, _ in DG], atol=1e-9)
    np.testing.assert_allclose(game.values["g_loss"], [g for _, g in DG], atol=1e-9)
    np.testing.assert_allclose(log.steps, steps)
    assert log.step_name == step_name
