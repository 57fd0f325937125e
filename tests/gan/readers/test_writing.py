import pytest

from gansearch.gan.readers.writing import STYLES, Style, Writing, affixes, writing_of

POINT, COMMA = Style(), Style(",")


@pytest.mark.parametrize(
    ("numbers", "style"),
    [
        (["1", "20", "-3"], POINT),
        (["1.50", "20.00", "-3.25"], POINT),
        (["1", "20.5", "-3.25"], POINT),
        (["40.0", "3.5"], POINT),
        (["1,50", "20,00"], COMMA),
        (["1.234,50", "20,00", "1.234.567,25"], Style(",", ".")),
        (["1,234", "12", "1,234,567"], Style(".", ",")),
        (["1'234.5", "2.5"], Style(".", "'")),
        (["1 234,5", "2,5"], Style(",", " ")),
        (["+0.5", "-0.25"], POINT),
        ([".5", "-.25", "1.75", "0"], POINT),
        ([",5", "-,25", "1,75", "12"], COMMA),
        (["5.185370000000000257e-02", "6.801632999999999818e+00"], POINT),
        (["1.5e-07", "2.25e+10"], POINT),
        (["1.50E+00", "2.25E-03"], POINT),
        (["1e-05", "0.5", "12.25", "3e+20"], POINT),
        (["123456.12345678", "0.1"], POINT),
    ],
)
def test_numbers_are_written_as_they_were(numbers, style):
    writing = writing_of(numbers, style)
    assert style in STYLES
    values = [float(style.plain(text)) for text in numbers]
    whole = all(set(text) <= set("-+0123456789" + style.group) for text in numbers)
    assert [writing.text(int(value) if whole else value) for value in values] == numbers


def test_numbers_that_were_not_seen_have_no_more_decimals():
    writing = writing_of(["1.5", "2.25"], POINT)
    assert [writing.text(x) for x in (1 / 3, 2.0, -0.001, 7)] == ["0.33", "2.0", "0.0", "7.0"]


def test_gaps_infinite_numbers_and_texts():
    writing = Writing(gap="NA", infinite="Inf", prefix="$", places=(2, 2))
    assert [writing.text(x) for x in (None, float("-inf"), -1234.5, "a", True)] == [
        "NA",
        "-$Inf",
        "-$1234.50",
        "a",
        "True",
    ]
    assert Writing(cut=3, zone="Z").text("2024-01-31T10:00:00.123000") == "2024-01-31T10:00:00.123Z"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$1,234.50", ("$", "")),
        ("-€ 5", ("€ ", "")),
        ("12%", ("", "%")),
        ("3 €", ("", " €")),
        ("c12", ("", "")),
        ("7", ("", "")),
    ],
)
def test_what_stands_before_and_behind_a_number(text, found):
    assert affixes(text) == found
