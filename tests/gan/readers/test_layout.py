import numpy as np
import pytest

from gansearch.gan.readers.layout import layout_of, without_spaces

DRAWS = np.random.default_rng(0)


def numbers(separator=",", mark=".", columns=2, rows=60) -> str:
    """Rows of numbers with three decimals."""
    lines = [separator.join(f"{x:.3f}" for x in row) for row in DRAWS.normal(size=(rows, columns))]
    return "\n".join(lines).replace(".", mark) + "\n"


def layout(text, separator="", header=None, names=()):
    return layout_of(text, separator, header, names)


@pytest.mark.parametrize(
    ("text", "separator", "header"),
    [
        ("x,y\n" + numbers(), ",", ["x", "y"]),
        ("x;y\n" + numbers(";", ","), ";", ["x", "y"]),
        (numbers(";", ","), ";", None),
        ("x\ty\n" + numbers("\t"), "\t", ["x", "y"]),
        ("x|y\n" + numbers("|"), "|", ["x", "y"]),
        ("x\n" + numbers(columns=1), ",", ["x"]),
        ("name\tgenres\n" + "A\tx|y\n" * 40, "\t", ["name", "genres"]),
        ("name,genres\n" + "A,x|y\n" * 40, ",", ["name", "genres"]),
        ("full name\n" + "John Smith\n" * 40, ",", ["full name"]),
        ("sep=;\nx;y\n" + "1;2\n" * 40, ";", ["x", "y"]),
    ],
)
def test_the_separator_is_found(text, separator, header):
    found = layout(text)
    assert found.separator == separator
    assert found.header == header
    assert text[found.start] in "0123456789-AJ"


@pytest.mark.parametrize(
    ("first", "row", "is_header"),
    [
        ("0.5,1", "{x:.2f},{n}", False),
        ("x,n", "{x:.2f},{n}", True),
        ("country,2019,2020", "{c},{n},{x}", True),  # years
        ("D,2019,2020", "{c},{n},{x}", False),
        ("0,1,2", "{x},{x},{n}", True),  # as pandas writes columns without names
        (",0,1,2", "{i},{x},{x},{n}", True),
        ("39, State-gov, 77516", "{n}, State-{c}ov, {n}", False),
        ("D,F,yes", "{c},{c},yes", False),
        ("from,to,yes", "{c},{c},yes", True),
        ("when,t", "2024-01-0{d},{x}", True),
        ("2024-01-05,3", "2024-01-0{d},{x}", False),
        ("a,b", "{i}a,{i}b", True),
        ("Preis (€),n", "€ {n}.50,{n}", True),
        ("Country Name,1960,1961", "C{i},{n},{x}", True),
    ],
)
def test_a_first_row_is_data_or_names(first, row, is_header):
    rows = (row.format(x=DRAWS.normal(), n=DRAWS.integers(90), i=i, c="DFI"[i % 3], d=1 + i % 9) for i in range(60))
    text = first + "\n" + "\n".join(rows)
    found = layout(text)
    assert found.header == (first.split(",") if is_header else None)
    assert layout(text, header=True).header == first.split(",")
    assert layout(text, header=False).header is None


def test_names_that_the_user_knows_are_names():
    text = "5,7\n" + numbers()
    assert layout(text).header is None
    assert layout(text, names={"7"}).header == ["5", "7"]


def test_lines_before_the_names_are_no_rows():
    found = layout("Title, by me\n\n# 2020\nx,y,z\n" + numbers(columns=3))
    assert found.before == "Title, by me\n\n# 2020\n"
    assert found.header == ["x", "y", "z"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines_are_kept(end):
    found = layout("x,y\n1,2\n".replace("\n", end) * 40)
    assert found.newline == end


@pytest.mark.parametrize(
    ("text", "header", "width"),
    [
        ("a,b,c\n" + "1,2,3,\n" * 40, ["a", "b", "c"], 4),
        ("a,b,c,\n" + "1,2,3,\n" * 40, ["a", "b", "c", ""], 4),
        ("a,b,c,\n" + "1,2,3\n" * 40, ["a", "b", "c"], 3),
        ("a,b,c\n" + "1,2\n" * 40, ["a", "b", "c"], 3),
        ("x,y\n" + "".join(f"{n},1.5,2\n" for n in range(40)), ["x", "y"], 3),
    ],
)
def test_names_and_rows_may_have_other_numbers_of_fields(text, header, width):
    found = layout(text)
    assert (found.header, found.width) == (header, width)


@pytest.mark.parametrize("text", ["", "\n\n", "a", '"', '"a\n' * 9])
def test_hardly_a_text_is_no_error(text):
    assert layout(text).width <= 1


def test_runs_of_spaces_separate_columns_where_nothing_else_does():
    assert without_spaces("a  b\n 1 x \n2   y\n") == "a\tb\n1\tx\n2\ty\n"
    assert without_spaces('18.0   "ford, torino"\n' * 3) is None
    assert without_spaces('18.0   "ford torino"\n' * 3) == "18.0\tford torino\n" * 3
    for text in ("full name\nJohn Smith\n", "a b\n1 2\n1 2 3\n", "a,b\n1 2,3\n", "x\n1\n", ""):
        assert without_spaces(text) is None
