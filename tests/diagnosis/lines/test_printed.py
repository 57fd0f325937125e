"""Printed lines."""

import math

import numpy as np
import pytest

from gansearch.diagnosis.lines.printed import Printed
from gansearch.diagnosis.lines.sources import sniff


def feed(*lines):
    source = Printed()
    source.feed(lines, range(1, len(lines) + 1))
    return source


def test_a_record_ends_where_a_name_comes_again():
    source = feed("errD: 1", "errG: 2", "time: 3 s", "errD: 4", "errG: 5", "FID: 30")
    assert len(source.records) == 2
    np.testing.assert_array_equal(source.records.column("errG")[0], [2, 5])
    np.testing.assert_array_equal(source.records.column("FID")[0], [np.nan, 30])
    np.testing.assert_array_equal(source.records.lines(), [1, 4])


def test_a_headline_begins_a_record():
    source = feed("Epoch 1", "d_loss: 1 g_loss: 2", "Epoch 2", "d_loss: 3 g_loss: 4")
    np.testing.assert_array_equal(source.records.column("d_loss")[0], [1, 3])
    np.testing.assert_array_equal(source.records.column("Epoch")[0], [1, 2])


def test_headlines_in_succession_are_one():
    lines = [f"Iteration: {i:06}/1000\nElapsed time in update: 0.5\nEpoch {i // 3}\nd_loss {i}.5" for i in range(6)]
    source = feed(*"\n".join(lines).split("\n"))
    np.testing.assert_array_equal(source.records.column("d_loss")[0], np.arange(6) + 0.5)
    np.testing.assert_array_equal(source.records.column("Iteration")[0], np.arange(6))


def test_cut_lines_are_left_out_and_counted():
    lines = [f"step {i} d_loss: 0.{i}000 g_loss: 1.{i}000" for i in range(9)]
    source = feed(*lines, "step 9 d_loss: 0.9", "step 10 d_loss: 0.5000 g_loss: 1.5")
    assert source.notes() == ["2 lines are cut off in the middle and left out."]
    assert np.nanmax(source.records.column("step")[0]) == 8


def test_a_last_line_without_an_end():
    source = feed(*(f"step {i} d_loss: 0.{i}000" for i in range(5)))
    source.last("step 5 d_loss: 0.5", 6)
    assert len(source.notes()) == 1
    source.last("step 6 d_loss: 0.6000", 7)
    assert source.records.column("d_loss")[0][-1] == 0.6


def columns(*lines):
    """What the lines of a log are read as, the last one without an end."""
    source, kind = sniff(lines, "log")
    assert kind == "printed lines"
    source.feed(lines[:-1], range(1, len(lines)))
    source.last(lines[-1], len(lines))
    return {name: source.records.column(name)[0].tolist() for name in source.records.names}


@pytest.mark.parametrize(
    ("lines", "d", "g"),
    [
        (("epoch 3 loss_d: 0,693 loss_g: 1,25", "epoch 4 loss_d: -0,5 loss_g: 1,234"), [0.693, -0.5], [1.25, 1.234]),
        (("[3/100] loss_d=0,69, loss_g=1,2", "[4/100] loss_d=0,5, loss_g=12,2"), [0.69, 0.5], [1.2, 12.2]),
        (("loss_d: 6,9e-2; loss_g: 10,25", "loss_d: 5; loss_g: nan"), [0.069, 5], [10.25, math.nan]),
        (("12:00:01.123 I - loss_d: 0,69 | loss_g: 2", "12:00:02.9 I - loss_d: 1 | loss_g: 3"), [0.69, 1], [2, 3]),
    ],
)
def test_decimal_commas_of_losses(lines, d, g):
    found = columns(*lines)
    np.testing.assert_array_equal(found["loss_d"], d)
    np.testing.assert_array_equal(found["loss_g"], g)


@pytest.mark.parametrize(
    ("line", "d"),
    [
        ("loss_d: 1,693 loss_g: 2,250", 1693),
        ("loss_d: 5 loss_g: 12,250 d_acc: 85,60", 5),
        ("loss_d: 3,50 loss_g: 2 time: 0.5", 3),
        ("loss_d: 1,2,3 loss_g: (0,5)", 1),
        ("12:00:01,123 loss_d: 7 loss_g: [0,5]", 7),
        ("epoch: 3,0005 loss_d: 1 loss_g: 2", 1),
    ],
)
def test_commas_of_thousands_and_between_numbers_are_none_of_decimals(line, d):
    assert columns(f"{line} ", f"{line} ")["loss_d"] == [d, d]
