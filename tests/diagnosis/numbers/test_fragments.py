"""Lines that were cut."""

import pytest

from gansearch.diagnosis.numbers.fragments import copies, cut, left_out, short_cells

WHOLE = ("[", "/", "] Loss_D: ", " Loss_G: ", "")


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        (WHOLE, False),
        (("[", ""), True),
        (("[", "/", "] Los"), True),
        (("oss_D: ", " Loss_G: ", ""), True),
        (("[", "/", "] Loss_D: ", "/usr/lib: ", ""), True),
        (("[", "/", "] Loss_D: ", " Loss_G: ", " FID: ", ""), False),
        (("[", "/", "] Loss_D: ", " FID: ", ""), False),
        (("saved ", ""), False),
    ],
)
def test_parts_of_a_line(part, wanted):
    assert cut(part, WHOLE) is wanted


def test_cells_with_too_few_decimals():
    fixed = [f"0.{i:04}" for i in range(100, 140)]
    assert short_cells([*fixed, "0.0", "0.12"]).tolist() == [False] * 40 + [True, True]
    trimmed = [str(1 / (3 + i)) for i in range(40)]
    assert not short_cells(trimmed).any()
    assert not short_cells(["0.5", "0.25", "1"]).any()


def test_copies():
    assert copies([line for i in range(9) for line in (f"a {i}", f"a {i}")]) == 2
    assert copies([f"a {i}" for i in range(9)]) == 1
    assert copies(["the same"] * 40) == 1


def test_notes():
    assert left_out(0, "cut") == []
    assert left_out(1, "cut") == ["1 line is cut and left out."]
    assert left_out(2, "cut", "bar") == ["2 bars are cut and left out."]
