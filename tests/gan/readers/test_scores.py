import numpy as np
import pandas as pd
import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.scores import ScoredRows
from gansearch.gan.readers.tables import read_table


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


def read(frame: pd.DataFrame, folder, columns=None, categorical=()) -> ScoredRows:
    """The rows that are read of a CSV file of the frame."""
    frame.to_csv(folder / "people.csv", index=False)
    return ScoredRows(read_table(str(folder / "people.csv"), columns, ",", as_written=False), categorical)


def test_rows_that_lack_a_number_and_constant_columns_are_left_out_with_warnings(people, tmp_path):
    people["planet"] = "Earth"
    people.loc[:8, "income"] = np.nan
    people.loc[9, "income"] = np.inf
    people.loc[:3, "city"] = None
    rows = read(people, tmp_path)
    assert len(rows.stored) == 190
    assert rows.notes == [
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
    ("change", "part"),
    [
        (lambda t: t.assign(day=pd.date_range("2024", periods=200)), "columns: 'day' holds dates"),
        (lambda t: t.assign(id=[f"n{i}" for i in range(200)]), "columns: 'id' holds 200 different texts"),
        (lambda t: t.assign(age=[*t["age"][:-1], "old"]), "columns: 'age' holds numbers but for 1 texts such as 'old'"),
        (lambda t: t.assign(age=1)[["age"]], "has no column whose values differ"),
    ],
)
def test_columns_that_cannot_be_learned_are_errors(people, tmp_path, change, part):
    with pytest.raises(TaskError, match=part):
        read(change(people), tmp_path)


def test_a_constant_column_of_dates_is_left_out(people, tmp_path):
    assert "day" not in [column.name for column in read(people.assign(day="2024-03-01"), tmp_path).columns]


def test_rows_are_decoded_to_their_values(people, tmp_path):
    rows = read(people, tmp_path)
    back = rows.decode(rows.stored)
    assert back["city"].tolist() == people["city"].tolist()
    assert back["age"].tolist() == people["age"].tolist()
    assert np.allclose(back["income"].astype(float), people["income"], atol=0.01)
