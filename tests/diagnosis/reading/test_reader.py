"""Every format of well-known code bases, whole and mutilated, as it comes from a file or a pipe."""

import random
import re

import numpy as np
import pytest

from gansearch.diagnosis.reading import LogError, LogReader
from gansearch.diagnosis.training_log import TrainingLog
from tests.diagnosis.reading.examples import FORMATS
from tests.diagnosis.reading.mutilations import MUTILATIONS, appended, glued_lines


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
    assert "reconstruction" not in game.columns or "reconstruction" in wanted.values or name == "timegan"
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


@pytest.mark.parametrize("mutilate", MUTILATIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("name", FORMATS)
def test_mutilated_logs_give_right_values_or_a_sentence(name, mutilate):
    wanted = FORMATS[name]()
    for seed in range(3):
        log = read(mutilate(wanted.text, random.Random(f"{name} {seed}")))
        game = next((one for one in log.games if one.name == wanted.game), log.games[0])
        known = np.isin(log.steps, wanted.steps)
        at = np.searchsorted(wanted.steps, log.steps[known])
        assert known.all() or (mutilate is glued_lines and known.sum() >= len(known) - 1)
        assert known.sum() >= 0.35 * len(wanted.steps)
        wrong = np.zeros(len(at), bool)
        for role, values in wanted.values.items():
            printed = game.printed[role][known]
            assert printed.sum() >= 0.3 * len(wanted.steps)
            wrong |= printed & (np.abs(game.values[role][known] - values[at]) > 1e-9)
        # Two lines without a break between them can look like one.
        assert wrong.sum() <= 2 * (mutilate is glued_lines), (log.steps[known][wrong], log.notes)
        assert log.runs == 1 + (mutilate is appended) or mutilate is glued_lines


def test_it_can_be_asked_while_lines_come():
    wanted = FORMATS["dcgan"]()
    reader = LogReader("-")
    for i, line in enumerate(wanted.text.splitlines(keepends=True)):
        reader.feed(line[:20])
        reader.feed(line[20:])
        assert reader.log().records == i + 1
    with pytest.raises(LogError):
        LogReader("-").log()


def test_a_thousand_layouts_of_prose_do_no_harm():
    rng = random.Random(0)
    text = ""
    for i in range(2000):
        text += f"step {i} d_loss: 0.{i % 10} g_loss: 1.5\n"
        text += f"{'abcdefgh'[i % 8] * rng.randrange(1, 90)} said {i} and 7 {rng.random()}x\n"
    log = read(text)
    assert log.records == 2000
    np.testing.assert_allclose(log.games[0].values["d_loss"], np.arange(2000) % 10 / 10)


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "1e+20"])
@pytest.mark.parametrize("count", [1, 2, 3, 20])
@pytest.mark.parametrize("kind", ["dcgan", "ctgan loss_values", "home-made", "lucidrains"])
def test_a_diverged_end_is_never_taken_for_cut_lines(kind, count, bad, end):
    text = FORMATS[kind]().text.splitlines()
    whole = len(read("\n".join(text) + "\n").steps)
    number = r"-?\d\.\d{4}"
    lines = [re.sub(number, bad, line) for line in text[-count:]]
    log = read("\n".join([*text[:-count], *lines]) + end)
    assert log.records == whole
    assert not log.notes
    value = log.games[0].values["d_loss"][-1]
    assert np.isnan(value) if bad == "nan" else value == float(bad)
    assert log.games[0].printed["d_loss"].all()
