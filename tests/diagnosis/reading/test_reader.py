"""Every format of well-known code bases, whole and mutilated, as it comes from a file or a pipe."""

import numpy as np
import pytest

from gansearch.diagnosis.reading import LogError, LogReader
from gansearch.diagnosis.training_log import TrainingLog
from tests.diagnosis.reading.printed import FORMATS


def read(data: bytes | str, size: int | None = None) -> TrainingLog:
    """A log that comes in pieces."""
    reader = LogReader("train.log")
    for start in range(0, len(data), size or len(data)):
        reader.feed(data[start : start + (size or len(data))])
    reader.close()
    return reader.log()


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name):
    wanted = FORMATS[name]()
    log = read(wanted.text)
    game = next(one for one in log.games if one.name == wanted.game)
    for role, values in wanted.values.items():
        np.testing.assert_allclose(game.values[role], values, atol=1e-9, err_msg=f"{role} of {game.columns}")
        assert game.printed[role].all()
    np.testing.assert_allclose(log.steps, wanted.steps)
    assert log.step_name == wanted.step_name
    assert log.runs == 1
    assert log.notes == () or wanted.game or "adversarial" in log.notes[0] or "weight" in log.notes[0]
    assert wanted.loss is None or game.loss == wanted.loss
    assert wanted.halves is None or game.halves == wanted.halves
    assert wanted.format in log.format


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("name", ["dcgan", "pytorch-gan pix2pix", "keras-io", "stylegan stats.jsonl", "wandb csv"])
def test_pieces_cut_anywhere_read_the_same(name, size):
    wanted = FORMATS[name]()
    for data in (wanted.text, wanted.text.encode(), wanted.text.encode("utf-16")):
        log = read(data, size)
        np.testing.assert_allclose(log.games[0].values["d_loss"], wanted.values["d_loss"], atol=1e-9)


def test_nothing_to_read():
    with pytest.raises(LogError, match="no numbers"):
        read("hello\nworld\n")
