import numpy as np
import pandas as pd
import pytest

from gansearch.gan.encoding.forms import Ordered, form_of, plain_values


def back(values: list, form=None) -> list:
    """What becomes of values that are made numbers and written again."""
    series = pd.Series(values, dtype=object).convert_dtypes()
    form = form or form_of(series)
    return form.write(form.numbers(series))


DAYS = pd.Series(pd.date_range("2023-12-25", periods=60, freq="9h"))


@pytest.mark.parametrize(
    "values",
    [
        [3, 5, None, 7],
        [1.5, None, 2.0],
        DAYS.dt.strftime("%Y-%m-%d").tolist(),
        [None, *DAYS.dt.strftime("%d-%m-%Y")],
        DAYS.dt.strftime("%m/%d/%Y %H:%M").tolist(),
        DAYS.dt.strftime("%Y-%m-%dT%H:%M:%SZ").tolist(),
        DAYS.dt.strftime("%d %b %Y").tolist(),
        [int(day) for day in DAYS.dt.strftime("%Y%m%d").unique()],
        ["1/2/2024 07:05", "12/31/2024 17:00", "2/10/2024 00:30"],
        ["7:05", "17:30", None],
        ["00:07:05", "101:30:00"],
        ["3 days 04:05:06", "0 days 00:00:01"],
    ],
    ids=lambda values: str(values[1]),
)
def test_values_are_written_as_they_were(values):
    written = back(values)
    assert written == values
    assert list(map(type, written)) == list(map(type, values))


def test_numbers_of_dates_are_days_or_seconds():
    assert form_of(pd.Series(["1970-01-03"])).numbers(pd.Series(["1970-01-03"])) == [2]
    assert form_of(pd.Series(["1970-01-01 00:01"])).numbers(pd.Series(["1970-01-01 00:01"])) == [60]
    numbers = np.array([0.4, np.nan])
    assert form_of(pd.Series(["03-01-1970"])).write(numbers) == ["01-01-1970", None]


def test_texts_truth_values_and_half_dates_are_no_numbers():
    for values in (["a", "b"], [True, False], ["2024-01-01", "soon"], ["2024-13-01"], [None]):
        assert form_of(pd.Series(values, dtype=object).convert_dtypes()) is None
    assert form_of(pd.Series(range(20240101, 20240190))).name == "number", "there is no 32nd of January"


def test_columns_of_times_become_texts():
    frame = pd.DataFrame(
        {"day": DAYS.dt.normalize(), "time": DAYS, "gap": DAYS - DAYS[0], "kind": pd.Categorical(["a"] * 60)}
    )
    texts = plain_values(frame)
    assert texts.iloc[1].tolist() == ["2023-12-25", "2023-12-25 09:00:00", "0 days 09:00:00", "a"]
    assert [form_of(texts[name]) and form_of(texts[name]).name for name in texts] == ["date", "date", "duration", None]


def test_ordered_texts_are_their_places():
    assert back(["b", None, "a"], Ordered(["b", "a"])) == ["b", None, "a"]


@pytest.mark.parametrize("sentinel", ["9999-12-31 23:59:59", "0001-01-01 00:00:01"])
def test_dates_at_the_ends_of_the_calendar_are_exact(sentinel):
    texts = pd.Series([sentinel, *(f"2024-01-{day:02} 12:30:07" for day in range(1, 29))], dtype="string")
    form = form_of(texts)
    assert form.write(form.numbers(texts)) == texts.tolist()


def test_durations_beyond_pandas_are_texts():
    assert form_of(pd.Series(["2608794 days", "1 days"], dtype="string")) is None
