"""Folders, and files that belong together."""

import os

import numpy as np
import pytest

from gansearch.diagnosis.reading import LogError, read_log

CSV = "epoch,step,d_loss,g_loss\n" + "".join(f"0,{i},0.{i},1.{i}\n" for i in range(9))


def test_the_last_version_of_lightning(tmp_path):
    for number in (0, 2, 10):
        folder = tmp_path / "lightning_logs" / f"version_{number}"
        folder.mkdir(parents=True)
        (folder / "metrics.csv").write_text(CSV.replace("0.8", f"{number}"))
        (folder / "hparams.yaml").write_text("gan_mode: lsgan\n")
    for source in (tmp_path, tmp_path / "lightning_logs", tmp_path / "lightning_logs" / "version_10"):
        log = read_log(source)
        assert log.games[0].values["d_loss"][-1] == 10
        assert log.games[0].loss == "lsgan"


def test_the_newest_folder(tmp_path):
    for age, name in enumerate(("b", "a", "c")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.log").write_text(CSV.replace("0.8", f"{age}.5"))
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    assert read_log(tmp_path).games[0].values["d_loss"][-1] == 0.5


def test_files_of_one_quantity(tmp_path):
    for name, start in (("G_loss", 0.1), ("D_loss_real", 0.5), ("D_loss_fake", 0.6)):
        (tmp_path / f"{name}.log").write_text("".join(f"{i}: {start + i / 100:.3e}\n" for i in range(20)))
    for source in (tmp_path / "G_loss.log", tmp_path):
        log = read_log(source)
        np.testing.assert_allclose(log.games[0].values["d_loss"], 1.1 + np.arange(20) / 50)
        assert (log.games[0].loss, log.format) == ("hinge", "files of one quantity each of BigGAN-PyTorch")


def test_columns_without_a_header(tmp_path):
    for name in ("loss_d_loss", "loss_g_loss"):
        (tmp_path / f"{name}.csv").write_text("".join(f"{i / 10}\n" for i in range(20)))
    game = read_log(tmp_path / "loss_g_loss.csv").games[0]
    assert game.columns == {"d_loss": "loss_d_loss", "g_loss": "loss_g_loss"}


def test_exports_of_tensorboard(tmp_path):
    for tag in ("Loss_D", "Loss_G"):
        text = "Wall time,Step,Value\n" + "".join(f"1700000000.{i},{i * 10},0.{i}\n" for i in range(9))
        (tmp_path / f"run-.-tag-{tag}.csv").write_text(text)
    log = read_log(tmp_path / "run-.-tag-Loss_D.csv")
    assert log.games[0].columns == {"d_loss": "Loss_D", "g_loss": "Loss_G"}
    np.testing.assert_allclose(log.steps, np.arange(9) * 10)
    assert log.notes == ("Read together with run-.-tag-Loss_G.csv.",)


def test_folders_without_a_log_and_with_several(tmp_path):
    with pytest.raises(LogError, match="has no log"):
        read_log(tmp_path)
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text(CSV)
    with pytest.raises(LogError, match=r"several logs: a\.log, b\.log"):
        read_log(tmp_path)
