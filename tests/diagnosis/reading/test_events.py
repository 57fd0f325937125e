"""TensorBoard's event files."""

import numpy as np
import pytest
from torch.utils.tensorboard import SummaryWriter

from gansearch.diagnosis.reading import LogError, read_log


def write(folder, steps=range(0, 90, 10), d="Loss/D", g="Loss/G"):
    with SummaryWriter(str(folder)) as writer:
        for step in steps:
            writer.add_scalar(d, step / 100, step)
            writer.add_scalar(g, 1 + step / 100, step)
            if step == 40:
                writer.add_scalar("FID", 30.5, step)


def test_a_file_and_its_folder(tmp_path):
    write(tmp_path)
    for source in (tmp_path, next(tmp_path.iterdir())):
        log = read_log(source)
        np.testing.assert_allclose(log.steps, np.arange(0, 90, 10))
        np.testing.assert_allclose(log.games[0].values["d_loss"], log.steps / 100)
        assert log.games[0].columns["g_loss"] == "Loss/G"
        assert np.flatnonzero(log.metrics["FID"] == 30.5).tolist() == [4]
        assert log.format == "TensorBoard's event files"


def test_a_folder_for_each_quantity(tmp_path):
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(9):
            writer.add_scalars("losses", {"D_loss": step / 10, "G_loss": 1 + step / 10}, step)
    game = read_log(tmp_path).games[0]
    np.testing.assert_allclose(game.values["d_loss"], np.arange(9) / 10)
    np.testing.assert_allclose(game.values["g_loss"], 1 + np.arange(9) / 10)


def test_runs_in_one_file_and_in_folders_beside_each_other(tmp_path):
    with SummaryWriter(str(tmp_path / "a")) as writer:
        for step in [*range(9), *range(6)]:
            writer.add_scalar("d_loss", step, step)
            writer.add_scalar("g_loss", step, step)
    log = read_log(tmp_path / "a")
    assert (log.runs, log.records) == (2, 6)
    write(tmp_path / "b")
    assert "b is read" in read_log(tmp_path).notes[0]


def test_a_file_that_was_cut_ends_there_and_an_empty_one_is_a_sentence(tmp_path):
    write(tmp_path, range(100))
    path = next(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:5000])
    assert 30 < read_log(path).records < 100
    path.write_bytes(b"")
    with pytest.raises(LogError, match="no scalars"):
        read_log(path)
