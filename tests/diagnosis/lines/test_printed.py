"""Printed lines."""

import numpy as np

from gansearch.diagnosis.lines.printed import Printed


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
