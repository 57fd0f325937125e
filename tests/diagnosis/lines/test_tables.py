"""Tables."""

import pytest

from gansearch.diagnosis.lines.sources import sniff
from gansearch.diagnosis.lines.tables import Table, is_header


def test_another_header_in_the_middle_begins_anew():
    source, _ = sniff(["epoch,d_loss", "0,1"], "")
    source.feed(["epoch,d_loss", "0,1", "epoch,d_loss", "1,2", "epoch,g_loss,d_loss", "2,5,3", "broken"], range(1, 8))
    assert source.records.column("d_loss")[0].tolist() == [1, 2, 3]
    assert source.notes() == ["1 line is cut off or no row of the table and left out."]


def test_cells_in_quotes_and_with_commas():
    table = Table(["step", "d_loss"], ",")
    table.feed(['"1,000","tensor(0.5, grad_fn=<A>)"', "1001,0.25"], [2, 3])
    assert table.records.column("step")[0].tolist() == [1000, 1001]
    assert table.records.column("d_loss")[0].tolist() == [0.5, 0.25]


def test_decimal_commas():
    table = Table(["d_loss", "g_loss"], ";")
    table.feed(["0,5;1,25e-3"], [2])
    assert table.records.column("g_loss")[0].tolist() == [0.00125]


@pytest.mark.parametrize("delimiter", ["\t", "|", None, ","])
def test_decimal_commas_between_other_delimiters(delimiter):
    cells = [["1", "1,386", "0,693"], ["2", "1,200", "12,000"]]
    lines = ['"' + '","'.join(row) + '"' if delimiter == "," else (delimiter or " ").join(row) for row in cells]
    table = Table(["step", "d_loss", "g_loss"], delimiter)
    table.feed(lines, [2, 3])
    assert table.records.column("d_loss")[0].tolist() == [1.386, 1.2]
    assert table.records.column("g_loss")[0].tolist() == [0.693, 12.0]
    thousands = Table(["step", "images"], "\t")
    thousands.feed(["1\t1,386", "2\t12,000"], [2, 3])
    assert thousands.records.column("images")[0].tolist() == [1386, 12000]


def test_a_row_that_was_cut():
    table = Table(["step", "d_loss"], ",")
    table.feed([f"{i},0.{i}000" for i in range(9)] + ["9,0.9", "10,0.5000"], range(11))
    assert table.records.column("step")[0].tolist() == [*range(9), 10]
    table.last("11,0.6", 12)
    assert len(table.notes()) == 1
    assert "2 lines" in table.notes()[0]


def test_headers():
    assert is_header(["step", "g_loss"], ["step", "d_loss"])
    assert not is_header(["10:00 oneDNN", "AVX2 512"], ["step", "d_loss"])
