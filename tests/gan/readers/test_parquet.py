import decimal
import io
from datetime import date, time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers import parquet
from gansearch.gan.readers.parquet import Parquet

COUNT = 60
DRAWS = np.random.default_rng(0)


def data_of(frame: pd.DataFrame | pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(frame, stream) if isinstance(frame, pa.Table) else frame.to_parquet(stream)
    return stream.getvalue()


def read(frame, wanted=None, known=()) -> Parquet:
    return Parquet(data_of(frame), lambda names: wanted or names, known)


def written(table: Parquet) -> pa.Table:
    """The rows of the table as its file has them."""
    made = table.frame.astype(object).where(table.frame.notna(), None)
    return pq.read_table(io.BytesIO(table.files(made)["samples.parquet"]))


def typed_columns() -> pa.Table:
    whole = DRAWS.integers(0, 100, COUNT)
    seconds = [int(n) for n in whole * 3_600 * 1_000_000]
    gaps = [None if n % 5 == 0 else int(n) for n in whole]
    arrays = {
        "int8": pa.array(gaps, pa.int8()),
        "uint64": pa.array(whole, pa.uint64()),
        "card": pa.array([2**60 + int(n) for n in whole], pa.int64()),
        "float": pa.array(DRAWS.normal(size=COUNT)),
        "float32": pa.array((whole / 10).astype(np.float32)),
        "decimal": pa.array([decimal.Decimal(int(n)) / 100 for n in whole], pa.decimal128(9, 2)),
        "long": pa.array([decimal.Decimal(10**20 + int(n)) for n in whole], pa.decimal128(30, 3)),
        "bool": pa.array([None if n == 3 else n % 2 == 0 for n in range(COUNT)]),
        "text": pa.array([None if n == 3 else f"0{n % 7}" for n in range(COUNT)]),
        "price": pa.array([f"{n:,.2f}" for n in whole * 100]),
        "large": pa.array([f"t{n % 3}" for n in range(COUNT)], pa.large_string()),
        "category": pa.array([f"t{n % 3}" for n in range(COUNT)]).dictionary_encode(),
        "day": pa.array([None if n == 3 else date(2024, 1, 1 + n % 28) for n in range(COUNT)]),
        "far": pa.array([date(9999, 12, 31)] * 30 + [date(1, 1, 1)] * 30, pa.date32()),
        "ms": pa.array(seconds, pa.timestamp("us")).cast(pa.timestamp("ms")),
        "zone": pa.array(seconds, pa.timestamp("ns", "Europe/Berlin")),
        "time": pa.array([time(n % 24, n) for n in range(COUNT)]),
        "span": pa.array(seconds, pa.duration("us")),
        "nothing": pa.nulls(COUNT),
    }
    return pa.table(arrays)


def test_all_types_are_written_as_they_were():
    table = typed_columns()
    again = written(read(table))
    assert again.schema == table.schema
    for name in table.column_names:
        assert again.column(name).to_pylist() == table.column(name).to_pylist(), name


def test_types_are_read_as_what_they_are():
    frame = read(typed_columns()).frame
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert {name for name, kind in kinds.items() if kind == "Int64"} == {"int8", "uint64", "time"}
    assert {name for name, kind in kinds.items() if kind == "Float64"} == {"float", "float32", "decimal", "price"}
    assert kinds["bool"] == "boolean"
    assert frame["float32"].round(1).equals(frame["float32"]), "0.1 in 32 bits is 0.1"
    assert frame["text"].tolist()[1] == "01"
    assert frame["day"].tolist()[0] == "2024-01-01"


def test_long_numbers_are_told():
    assert read(typed_columns()).warnings == [
        "numbers are read with ',' between thousands: price",
        "numbers with more digits than a float64 holds are read as texts: card, long",
    ]


def test_the_index_of_pandas_is_a_column_and_comes_back():
    frame = pd.DataFrame({"x": DRAWS.normal(size=COUNT)}, index=pd.Index([f"r{n}" for n in range(COUNT)], name="row"))
    table = read(frame)
    assert list(table.frame) == ["x", "row"]
    made = table.frame.astype(object)
    back = pd.read_parquet(io.BytesIO(table.files(made)["samples.parquet"]))
    pd.testing.assert_frame_equal(back, frame)


def test_fewer_rows_and_columns_are_written_too():
    table = read(typed_columns(), ["category", "int8"])
    made = table.frame.astype(object).where(table.frame.notna(), None).head(7)
    again = pd.read_parquet(io.BytesIO(table.files(made)["samples.parquet"]))
    assert list(again) == ["category", "int8"]
    assert again["category"].cat.categories.tolist() == ["t0", "t1", "t2"]
    assert len(again) == 7


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([["a", "b"]] * COUNT, "list<"),
        ([{"a": 1}] * COUNT, "struct<a: int64>"),
        ([b"ab"] * COUNT, "binary"),
    ],
)
def test_columns_of_lists_and_the_like_are_refused(values, kind):
    table = pa.table({"x": DRAWS.normal(size=COUNT), "tags": values})
    with pytest.raises(TaskError, match=rf"columns: 'tags' holds values of the type {kind}.*which no table learns"):
        read(table)
    assert list(read(table, ["x"]).frame) == ["x"]


def test_too_many_values_are_refused_before_they_are_read(monkeypatch):
    monkeypatch.setattr(parquet, "MOST_CELLS", 2 * COUNT)
    with pytest.raises(TaskError, match="60 rows of 19 columns: 120 values are the most; choose columns"):
        read(typed_columns())
    assert len(read(typed_columns(), ["float", "day"]).frame) == COUNT


def test_dates_of_no_calendar_are_refused():
    days = pa.array([-(10**6)] * 50 + [10**7] * 9, pa.date32())
    with pytest.raises(
        TaskError, match="columns: 'day' holds dates of the years -768 to 29,349; 1 to 9999 can be learned"
    ):
        read(pa.table({"x": range(59), "day": days}))
    with pytest.raises(TaskError, match="'long' holds durations of more than 290 years"):
        read(pa.table({"x": range(59), "long": pa.array([2**50] * 59, pa.duration("ms"))}))
    for unit in ("ms", "us"):
        far = pa.array([2**62] * 59, pa.timestamp(unit))
        with pytest.raises(TaskError, match="'far' holds dates of the years"):
            read(pa.table({"x": range(59), "far": far}))


def test_columns_of_one_name_are_refused():
    with pytest.raises(TaskError, match="several columns of one name"):
        read(pa.table([pa.array([1.5] * COUNT)] * 2, names=["x", "x"]))
