import numpy as np
import pandas as pd
import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.tables import as_numbers, check_columns, read_table


def read(frame: pd.DataFrame, folder, columns=None) -> pd.DataFrame:
    """The table that is read of a CSV file of the frame."""
    frame.to_csv(folder / "people.csv", index=False)
    return read_table(str(folder / "people.csv"), columns, ",")


def test_parquet_and_other_separators(people, tmp_path):
    people.astype({"age": "Int64"}).to_parquet(tmp_path / "a.parquet")
    people.to_csv(tmp_path / "a.csv", index=False, sep=";")
    tables = [
        read_table(str(tmp_path / "a.parquet"), None, ","),
        read_table(str(tmp_path / "a.csv"), None, ";"),
    ]
    assert tables[0].astype(object).equals(tables[1].astype(object))
    with pytest.raises(TaskError, match=r"task_options\.separator: ',' finds a single column"):
        read_table(str(tmp_path / "a.csv"), None, ",")


def test_values_are_read_as_they_are_written(people, tmp_path):
    (tmp_path / "a.csv").write_text("code,count,yes,price\n" + "007,3,true,1.50\n012,,false,2.00\n" * 30)
    table = read_table(str(tmp_path / "a.csv"), None, ",")
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
        (b"", r"cannot be read \(EmptyDataError: No columns"),
        (b'a,b\n1,2\n1,2,3,"', "cannot be read"),
        (b"\xff\xfe\x00\xd8", "cannot"),
    ],
)
def test_a_file_that_is_no_table_is_an_error(tmp_path, content, part):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(TaskError, match=r"task_options\.path: .*a\.csv " + part):
        read_table(str(tmp_path / "a.csv"), None, ",")
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(TaskError, match=r"task_options\.path: .*a\.parquet cannot be read"):
        read_table(str(tmp_path / "a.parquet"), None, ",")


def test_an_unknown_bundled_table_suggests_one():
    with pytest.raises(TaskError, match="brings no table 'wnie'; did you mean \"wine\""):
        read_table("sklearn:wnie", None, ",")


def test_rows_are_numbers_with_codes_for_what_is_none_and_nan_for_gaps():
    first = pd.DataFrame({"age": [30, None], "town": ["Bonn", "Ulm"], "member": [True, False]}, dtype=object)
    second = pd.DataFrame({"age": [40], "town": ["Kiel"], "member": [True]}, dtype=object)
    rows, others = as_numbers(first, second)
    np.testing.assert_array_equal(rows, [[30, 0, 1], [np.nan, 2, 0]])
    np.testing.assert_array_equal(others, [[40, 1, 1]])
