"""The growing table."""

import numpy as np

from gansearch.diagnosis.numbers import records
from gansearch.diagnosis.numbers.records import Records


def test_blanks_and_printed_nans_are_told_apart():
    table = Records()
    table.add_lines(range(4), [1, 2, 3, 4])
    table.add("d", np.array([0, 2]), np.array([1.0, np.nan]))
    values, printed = table.column("d")
    np.testing.assert_array_equal(values, [1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(printed, [True, False, True, False])
    np.testing.assert_array_equal(table.lines(), [1, 2, 3, 4])


def test_long_logs_become_means_over_blocks(monkeypatch):
    monkeypatch.setattr(records, "MOST_RECORDS", 100)
    table = Records()
    for start in range(0, 1000, 7):
        ids = np.arange(start, min(1000, start + 7))
        table.add_lines(ids, ids + 1)
        table.add("d", ids, ids.astype(float))
        table.add("step", ids, 10.0 * ids)
        table.add("clamped", ids[ids % 3 == 0], np.full((ids % 3 == 0).sum(), 16.118))
    assert table.block == 16
    assert len(table) == 63
    np.testing.assert_allclose(table.column("d")[0][:2], [7.5, 23.5])
    np.testing.assert_allclose(table.column("step", last=True)[0][:2], [150, 310])
    assert (table.lines()[:3] == [1, 17, 33]).all()
    np.testing.assert_allclose(table.column("clamped")[0][table.column("clamped")[1]], 16.118, rtol=1e-12)


def test_what_is_kept_of_an_endless_log_is_bounded(monkeypatch):
    monkeypatch.setattr(records, "MOST_RECORDS", 100)
    monkeypatch.setattr(records, "_MOST_VALUES", 400)
    table, most = Records(), 0
    for start in range(0, 50_000, 7):
        ids = np.arange(start, start + 7)
        table.add_lines(ids, ids + 1)
        table.add("d", ids, ids.astype(float))
        table.add("step", ids, 10.0 * ids)
        held = [sum(len(ids) for ids, _ in chunks) for chunks in (table._lines, *table._columns.values())]
        most = max(most, *held)
    assert most <= 400 + 512 + 7  # and the block that is not complete
    assert table.block == 512
    # A block that was joined while it grew counts what it had by then as one half.
    np.testing.assert_allclose(table.column("d")[0][:2], [255.5, 767.5], rtol=1e-3)
    np.testing.assert_allclose(table.column("step", last=True)[0][:2], [5110, 10230])
    np.testing.assert_array_equal(table.lines()[:3], [1, 513, 1025])


def test_a_nan_in_a_block_stays(monkeypatch):
    monkeypatch.setattr(records, "MOST_RECORDS", 4)
    table = Records()
    table.add_lines(range(8), range(8))
    table.add("d", np.arange(8), np.array([1, 2, np.nan, 3, 4, np.inf, 5, 6]))
    np.testing.assert_array_equal(table.column("d")[0], [1.5, np.nan, np.inf, 5.5])


def test_prose_with_numbers_does_not_fill_the_memory():
    table = Records()
    for name in range(2000):
        table.add(f"word {name}", np.array([0]), np.array([1.0]))
    assert len(table.names) == records.MOST_COLUMNS
    table.add("d_loss", np.array([0]), np.array([1.0]))
    assert "d_loss" in table.names
