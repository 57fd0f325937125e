"""Configurations beside a log."""

import json

import pytest

from gansearch.diagnosis.reading import read_log
from gansearch.diagnosis.reading.beside import configuration, dotted, options

LOG = "".join(f"step {i} d_loss: 0.{i + 1} g_loss: 1.{i}\n" for i in range(9))
FILES = {
    "train_opt.txt": (
        "----------------- Options ---------------\n           gan_mode: lsgan        \t[default: vanilla]\n"
        "                     lr: 0.0002                        \n----------------- End -------------------\n",
        "lsgan",
    ),
    "training_options.json": (json.dumps({"loss_kwargs": {"class_name": "training.loss.StyleGAN2Loss"}}), "bce"),
    "hparams.yaml": ("adv_loss: hinge\nlr: 1.0e-4\n", "hinge"),
    "config.yaml": ("gan_type:\n  value: wgan-gp\n  desc: null\n", "wgan"),
    "args.json": ('{"loss": "BCE", "lr": 0.1}', "bce"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_configuration_tells_the_loss(name, tmp_path):
    text, loss = FILES[name]
    (tmp_path / name).write_text(text)
    (tmp_path / "log.txt").write_text(LOG)
    game = read_log(tmp_path / "log.txt").games[0]
    assert game.loss == loss
    assert "configuration beside the log" in game.loss_source


def test_a_folder_of_logs_looks_above(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "config.yaml").write_text("model:\n  disc_loss: hinge\ndata:\n  root: /x\n")
    assert configuration(tmp_path / "logs" / "a.csv") == {"model.disc_loss": "hinge"}


@pytest.mark.parametrize("text", ["a: [1", "a: &x {b: *x}", "!!python/object:os.system x", "\x00", "- 1\n- 2", ""])
def test_what_cannot_be_read_says_nothing(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    assert options(tmp_path / "config.yaml") == {}
    assert options(tmp_path / "missing.json") == {}


def test_nested_values():
    assert dotted({"a": {"b": 1, "c": [1]}, "d": {"value": {"e": "x"}, "desc": None}}) == {"a.b": 1, "d.e": "x"}
