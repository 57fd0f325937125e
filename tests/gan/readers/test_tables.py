import numpy as np
import pandas as pd
import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.tables import Frame, read_table


@pytest.fixture
def people() -> pd.DataFrame:
    draws = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": draws.integers(18, 90, 200),
            "income": draws.lognormal(10, 1, 200).round(2),
            "city": draws.choice(["Bonn", "Oslo", "Riga"], 200),
            "member": draws.choice([True, False], 200),
        }
    )


def read(frame: pd.DataFrame, folder, columns=None, categorical=()) -> Frame:
    """The table that is read of a CSV file of the frame."""
    frame.to_csv(folder / "people.csv", index=False)
    return read_table(str(folder / "people.csv"), columns, categorical, ",")


def test_parquet_and_other_separators(people, tmp_path):
    people.astype({"age": "Int64"}).to_parquet(tmp_path / "a.parquet")
    people.to_csv(tmp_path / "a.csv", index=False, sep=";")
    tables = [
        read_table(str(tmp_path / "a.parquet"), None, (), ","),
        read_table(str(tmp_path / "a.csv"), None, (), ";"),
    ]
    assert tables[0].rows.equals(tables[1].rows.astype(tables[0].rows.dtypes))
    with pytest.raises(TaskError, match=r"task_options\.separator: ',' finds a single column"):
        read_table(str(tmp_path / "a.csv"), None, (), ",")


def test_rows_that_lack_a_number_and_constant_columns_are_left_out_with_warnings(people, tmp_path):
    people["planet"] = "Earth"
    people.loc[:8, "income"] = np.nan
    people.loc[9, "income"] = np.inf
    people.loc[:3, "city"] = None
    table = read(people, tmp_path)
    assert len(table.rows) == 190
    assert table.warnings == [
        "columns that always have the same value are left out: planet",
        "10 of 200 rows lack a number in income and are left out",
    ]


def test_few_different_numbers_are_categories_and_so_are_named_columns(people, tmp_path):
    people["children"] = np.arange(200) % 4
    widths = [column.width for column in read(people, tmp_path).columns]
    assert widths == [1, 1, 3, 2, 4]
    people["decade"] = people["age"] // 10
    columns = read(people, tmp_path, ["decade", "income"], ["decade"]).columns
    assert [column.width for column in columns] == [people["decade"].nunique(), 1]


@pytest.mark.parametrize(
    ("change", "options", "part"),
    [
        (lambda t: t, {"columns": ["agee"]}, r"columns: the table has no column 'agee'; did you mean \"age\""),
        (lambda t: t, {"categorical": ["town"]}, "categorical: the table has no column 'town'; it has age, income"),
        (lambda t: t.assign(day=pd.date_range("2024", periods=200)), {}, "columns: 'day' holds dates"),
        (lambda t: t.assign(id=[f"n{i}" for i in range(200)]), {}, "columns: 'id' holds 200 different texts"),
        (
            lambda t: t.assign(age=[*t["age"][:-1], "old"]),
            {},
            "columns: 'age' holds numbers but for 1 texts such as 'old'",
        ),
        (lambda t: t.head(20), {}, "path: 20 rows .* at least 50 are needed"),
        (lambda t: t.assign(age=1)[["age"]], {}, "has no column whose values differ"),
    ],
)
def test_columns_that_cannot_be_learned_are_errors(people, tmp_path, change, options, part):
    with pytest.raises(TaskError, match=part):
        read(change(people), tmp_path, **options)


def test_a_constant_column_of_dates_is_left_out(people, tmp_path):
    assert "day" not in read(people.assign(day="2024-03-01"), tmp_path).rows


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
        read_table(str(tmp_path / "a.csv"), None, (), ",")
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(TaskError, match=r"task_options\.path: .*a\.parquet cannot be read"):
        read_table(str(tmp_path / "a.parquet"), None, (), ",")


def test_an_unknown_bundled_table_suggests_one():
    with pytest.raises(TaskError, match="brings no table 'wnie'; did you mean \"wine\""):
        read_table("sklearn:wnie", None, (), ",")
