import gzip

import numpy as np
import pandas as pd
import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.tables import as_numbers, check_columns, read_by_pandas, read_table


def read(frame: pd.DataFrame, folder, columns=None) -> pd.DataFrame:
    """The table that is read of a CSV file of the frame."""
    frame.to_csv(folder / "people.csv", index=False)
    return read_table(str(folder / "people.csv"), columns).frame


def test_parquet_and_other_separators(people, tmp_path):
    people.astype({"age": "Int64"}).to_parquet(tmp_path / "a.parquet")
    people.to_csv(tmp_path / "a.csv", index=False, sep=";")
    tables = [
        read_table(str(tmp_path / name), separator=s).frame
        for name, s in (("a.parquet", ""), ("a.csv", ""), ("a.csv", ";"))
    ]
    assert tables[0].equals(tables[1])
    assert tables[1].equals(tables[2])
    with pytest.raises(TaskError, match=r"task_options\.separator: ',' finds a single column"):
        read_table(str(tmp_path / "a.csv"), separator=",")


@pytest.mark.parametrize("gap", ["", "NaN"])
def test_a_table_that_pandas_reads_right_is_read_as_before(people, tmp_path, gap):
    table = people.assign(count=np.where(people["age"] > 40, np.nan, 7)).astype({"count": "Int64"})
    table.to_csv(tmp_path / "a.csv", index=False, na_rep=gap)
    before = read_by_pandas(str(tmp_path / "a.csv"), None, "", as_written=True)
    pd.testing.assert_frame_equal(read_table(str(tmp_path / "a.csv")).frame, before, check_column_type=False)


def test_a_file_is_what_it_holds_and_not_what_it_is_called(people, tmp_path):
    people.to_parquet(tmp_path / "a.csv")
    people.to_csv(tmp_path / "b.parquet", index=False)
    (tmp_path / "c.data").write_bytes(gzip.compress((tmp_path / "b.parquet").read_bytes()))
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "d.csv.gz").write_bytes((tmp_path / "c.data").read_bytes())
    tables = [read_table(str(tmp_path / name)).frame for name in ("a.csv", "b.parquet", "c.data", "only")]
    assert all(table.equals(tables[0]) for table in tables)


def test_warnings_name_the_file_and_its_rows_are_written_as_they_are(tmp_path):
    (tmp_path / "a.csv").write_text("x;y\n" + "1,50;NA\n2,25;7\n" * 30)
    table = read_table(str(tmp_path / "a.csv"))
    assert table.warnings == [
        f"{tmp_path / 'a.csv'}: numbers are read with a decimal comma: x",
        f"{tmp_path / 'a.csv'}: 'NA' is read as a gap: y (30)",
    ]
    made = pd.DataFrame({"x": [0.5], "y": [None]}, dtype=object)
    assert table.files(made) == {"samples.csv": b"x;y\n0,50;NA\n"}


def test_values_are_read_as_they_are_written(people, tmp_path):
    (tmp_path / "a.csv").write_text("code,count,yes,price\n" + "007,3,true,1.50\n012,,false,2.00\n" * 30)
    tables = read_table(str(tmp_path / "a.csv")).frame, read_by_pandas(str(tmp_path / "a.csv"), None, ",", True)
    for table in tables:
        assert table.iloc[0].tolist() == ["007", 3, "true", 1.5]
        assert table["count"].isna().sum() == 30
        assert str(table["count"].dtype) == "Int64"
    assert read(people, tmp_path, ["member"])["member"].tolist() == people["member"].tolist()


def test_columns_that_are_not_there_and_too_few_rows_are_errors(people, tmp_path):
    with pytest.raises(TaskError, match=r"columns: the table has no column 'agee'; did you mean \"age\""):
        read(people, tmp_path, ["agee"])
    with pytest.raises(TaskError, match="categorical: the table has no column 'town'; it has age, income"):
        check_columns(people, "categorical", ["town"])
    with pytest.raises(TaskError, match="path: 20 rows, but at least 50 are needed"):
        read(people.head(20), tmp_path)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "0 rows, but at least 50 are needed; the file is empty"),
        (b'a,b\n1,2\n1,2,3,"', "1 rows, but at least 50 are needed"),
        (b"\xff\xfe\x00\xd8", "cannot be read .UnicodeDecodeError"),
        (b"PAR1 of no kind", "cannot be read .ArrowInvalid"),
        (b"\x1f\x8b\x08 not packed", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_an_error(tmp_path, content, part):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(TaskError, match=r"task_options\.path: .*" + part):
        read_table(str(tmp_path / "a.csv"))
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(TaskError, match=r"task_options\.path: .*a\.parquet cannot be read"):
        read_by_pandas(str(tmp_path / "a.parquet"), None, ",", True)


def test_an_unknown_bundled_table_suggests_one():
    with pytest.raises(TaskError, match="brings no table 'wnie'; did you mean \"wine\""):
        read_table("sklearn:wnie")


def test_rows_are_numbers_with_codes_for_what_is_none_and_nan_for_gaps():
    first = pd.DataFrame({"age": [30, None], "town": ["Bonn", "Ulm"], "member": [True, False]}, dtype=object)
    second = pd.DataFrame({"age": [40], "town": ["Kiel"], "member": [True]}, dtype=object)
    rows, others = as_numbers(first, second)
    np.testing.assert_array_equal(rows, [[30, 0, 1], [np.nan, 2, 0]])
    np.testing.assert_array_equal(others, [[40, 1, 1]])
