import pandas as pd
import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.delimited import MOST_COLUMNS, Delimited


def read(text, separator="", header=None, wanted=None, known=(), names=()) -> Delimited:
    data = text if isinstance(text, bytes) else text.encode()
    return Delimited(data, separator, header, lambda found: wanted or found, known, names)


def rows(line, header="x,y", count=60) -> str:
    return header + "\n" + "".join(line.format(i=i, x=i * 7 % 60 / 4, c="DFI"[i % 3]) + "\n" for i in range(count))


def written(table: Delimited, rows=None) -> bytes:
    """A file of rows of the table, all by default."""
    frame = table.frame if rows is None else table.frame.head(rows)
    made = frame.astype(object).where(frame.notna(), None)
    return table.files(made)["samples.csv"]


@pytest.mark.parametrize(
    "text",
    [
        rows("{x:.2f},{c}"),
        rows("{i};{c}", "x;y"),
        rows("{x:.2f};{c}", "x;y").replace(".", ","),
        rows("{i}\t{c}", "x\ty").replace("\n", "\r\n"),
        rows('"a, {c}",{x:.2f}'),
        rows('"two\nlines {c}","say ""{c}"""'),
        rows("{x:.3f},{c}", "0.125,F"),  # no names
        rows("{i},{x},{x}", ",x,y"),  # the index of pandas
        rows("{i},{x},{x}"),  # the row names of R
        rows("{x},{x},{i},", "x,x,x,"),
        rows("{x},{x},{i},", "x,y,z"),
        rows("{x},NA,{i}", "x,,y"),
        "A title\n\n" + rows("{x:.2f},{c},1", "x,y,z"),
        "sep=;\n" + rows("{i};{c}", "x;y"),
        rows("'{x:.2f}','it, {c}'", "'x','y'"),
        rows('{x:.2f},"a \\"{c}\\" b, c"'),
        rows("{x:.2f}, {i},(${i}.50)", "x, n, money"),
        rows("{i}.0,{c}").replace("\n3.0", "\n"),
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_is_written_as_it_is_read(text, codec):
    data = text.encode(codec)
    quoted = text.replace("'", "").replace("it, D", "'it, D'").replace("it, F", "'it, F'").replace("it, I", "'it, I'")
    assert written(read(data)) == (quoted.encode(codec) if text.startswith("'") else data)


def test_columns_of_one_name_or_none_are_told_apart():
    table = read(rows("{i},{x},{c},{i}", "x,x,,x.1"))
    assert list(table.frame) == ["x", "x.2", "Unnamed: 2", "x.1"]
    assert table.warnings == ["names that several columns have get a number, as in x.1: x"]
    assert written(table).startswith(b"x,x,,x.1\n")


def test_chosen_columns_are_read_and_written_in_their_order():
    table = read(rows("{i},{x},{c},5", "a,b,c,a"), wanted=["c", "a.1"])
    assert list(table.frame) == ["c", "a.1"]
    assert written(table, 1) == b"c,a\nD,5\n"


def test_a_table_without_names_has_numbers_for_them():
    table = read(rows("{x:.3f},{c}", "0.125,F"))
    assert list(table.frame) == ["0", "1"]
    assert len(table.frame) == 61
    assert table.warnings == ["its first row holds no names; columns are called 0 to 1 (header: true changes it)"]


@pytest.mark.parametrize(
    ("text", "count", "told"),
    [
        (
            rows("{x:.2f},{c}") + "1,2,3\n1.5\n",
            60,
            "2 rows left out with another number of fields: row 61 has 3 in place of 2",
        ),
        (
            rows("{x:.2f},{c}") + "1.5,D,,\n",
            61,
            "1 row with more separators than columns at the end, which are ignored",
        ),
        (rows("{x:.2f},{c}") + "2.5\n" * 20, 80, "20 rows with too few fields: the last are read as missing"),
        (rows("{x:.2f},{c}") + ",\n" * 3, 60, "3 empty rows left out"),
        (rows("{x},{c},7\n# a remark", "x,y,z"), 60, "60 remarks left out"),
        (rows("  {x}   {c} ", "x y"), 60, "its columns are separated by spaces"),
        (rows('{x} "a {c}"', "x y"), 60, "its columns are separated by spaces"),
        (rows("{x:.2f},{c}") * 3, 180, "2 repetitions of the names left out"),
        ("Title\n" + rows("{x:.2f},{c},1", "x,y,z"), 60, "1 line before the names left out"),
        (
            rows("{x:.2f},{c}é").encode("cp1252"),
            60,
            "it is not in UTF-8: letters are read as Windows-1252, and written so",
        ),
        (rows("{i},{x},{x}"), 60, "it has 2 names for 3 columns: that in front is Unnamed: 0"),
        (rows("{x},{x},"), 60, "it has 2 names for 3 columns: that behind the last separator is Unnamed: 2"),
    ],
)
def test_what_is_left_out_or_in_doubt_is_told_once(text, count, told):
    table = read(text)
    assert told in table.warnings[0]
    assert len(table.warnings) == 1
    assert len(table.frame) == count
    frame = table.frame.astype(object)
    pd.testing.assert_frame_equal(read(written(table)).frame.astype(object), frame)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "0 rows, but at least 50 are needed; the file is empty"),
        ("x,y\n", "the file is empty"),
        (
            rows("{x},{c}") + '1,"open\n' + "2,D\n" * 30,
            "a quotation mark near 'open' is not closed: it takes in 30 rows",
        ),
        (rows("{x},{c},1", "x,y,z") + '1,"open,3\n' + "2,D,3\n" * 30, "a quotation mark near .*open,3' is not closed"),
        (
            rows("{x},{c}") + "1,2,3\n" * 20,
            "20 of about 81 rows have another number of fields, the first: row 61 has 3",
        ),
        (rows("D, F and I,{x}"), "there are 2 names for 3 columns; quote texts that hold ','"),
        (
            ",".join("abc" * 2_000) + "\n" + ",".join("123" * 2_000) + "\n",
            f"has 6,000 columns, but {MOST_COLUMNS:,} are",
        ),
    ],
)
def test_what_cannot_be_read_is_an_error(text, part):
    with pytest.raises((TaskError, ValueError), match=part):
        read(text)


def test_lines_of_a_text_are_no_rows_and_empty_lines_no_gaps():
    review = rows('{x},"I bought this, and it works\nOh, well\nYes, no {c}"')
    assert len(read(review).frame) == 60
    table = read("x\n\n" + "1\n2\n\n3\n" * 20 + "\n\n")
    assert table.frame["x"].tolist() == [1, 2, 3] * 20


def test_spaces_stand_before_quotation_marks():
    table = read(rows('{x:.2f}, "Smith, {c}",   "a"', "x, name, y"))
    assert table.frame["name"].tolist()[:2] == ["Smith, D", "Smith, F"]
    assert not table.warnings
    assert written(table, 1) == b'x,name,y\n0.00,"Smith, D",a\n'
