import numpy as np
import pandas as pd

from gansearch.gan.encoding.scores import ScoredRows
from gansearch.gan.readers.tables import read_by_pandas


def read(frame: pd.DataFrame, folder, columns=None, categorical=()) -> ScoredRows:
    """The rows that are read of a CSV file of the frame."""
    frame.to_csv(folder / "people.csv", index=False)
    return ScoredRows(read_by_pandas(str(folder / "people.csv"), columns, ",", as_written=False), categorical)


def test_rows_that_lack_a_number_and_constant_columns_are_left_out(people, tmp_path):
    people["planet"] = "Earth"
    people.loc[:8, "income"] = np.nan
    people.loc[9, "income"] = np.inf
    people.loc[:3, "city"] = None
    rows = read(people, tmp_path)
    assert len(rows.stored) == 190
    assert [column.name for column in rows.columns] == ["age", "income", "city", "member"]


def test_few_different_numbers_are_categories_and_so_are_named_columns(people, tmp_path):
    people["children"] = np.arange(200) % 4
    assert read(people, tmp_path).widths == [1, 1, 3, 2, 4]
    people["decade"] = people["age"] // 10
    rows = read(people, tmp_path, ["decade", "income"], ["decade"])
    assert rows.widths == [people["decade"].nunique(), 1]


def test_rows_are_decoded_to_their_values(people, tmp_path):
    rows = read(people, tmp_path)
    back = rows.decode(rows.stored)
    assert back["city"].tolist() == people["city"].tolist()
    assert back["age"].tolist() == people["age"].tolist()
    assert np.allclose(back["income"].astype(float), people["income"], atol=0.01)
