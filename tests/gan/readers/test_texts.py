import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.texts import listed, typed

DRAWS = np.random.default_rng(0)


def read(separator=",", known=(), text_codes=False, **columns):
    """The columns, what is told of them, and whether they are written as they were."""
    result = typed(
        {name: pa.array(texts, pa.string()) for name, texts in columns.items()}, separator, known, text_codes
    )
    for name, texts in columns.items():
        values = result.frame[name].astype(object).where(result.frame[name].notna(), None)
        written = [result.writings[name].text(value) for value in values]
        gap = result.writings[name].gap
        assert [text for text in written if text != gap] == [t for t, w in zip(texts, written, strict=True) if w != gap]
    return result.frame, " | ".join(result.remarks)


def test_types_are_those_of_the_values():
    frame, told = read(
        whole=["1", "", "3"],
        real=["1.5", "2", ""],
        code=["007", "012", "100"],
        yes=["True", "", "False"],
        loud=["TRUE", "FALSE", "TRUE"],
        empty=["", "", ""],
    )
    types = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert types.pop("whole") == "Int64"
    assert types.pop("real") == "Float64"
    assert types.pop("yes") == "boolean"
    assert set(types.values()) == {"string"}
    assert frame["empty"].isna().all()
    assert told == ""


def test_words_for_gaps_are_gaps_among_numbers_and_dates_and_values_among_texts():
    frame, told = read(
        age=["NA", "30", "?", "NA", "7"],
        when=["2024-01-31", "NULL", "2024-02-01", "NULL", ""],
        country=["NA", "DE", "NA", "FR", ""],
        kind=["None", "Type A", "None", "None", "Type B"],
    )
    assert frame.isna().sum().tolist() == [3, 3, 1, 0]
    assert frame["kind"].tolist() == ["None", "Type A", "None", "None", "Type B"]
    assert "'NA' is read as a gap: age (2)" in told
    assert "'?' is read as a gap: age (1)" in told
    assert "'NULL' is read as a gap: when (2)" in told
    assert "'NA' is read as a value, no gap, among texts: country (2)" in told
    assert "'None' is read as a value, no gap, among texts: kind (3)" in told


def test_styles_of_numbers_are_those_of_the_whole_file():
    frame, told = read(";", x=["0,126", "1,304"], money=["1.234", "5.678"])
    assert frame["x"].tolist() == [0.126, 1.304]
    assert frame["money"].tolist() == [1234, 5678], "as x has a decimal comma"
    assert "numbers are read with a decimal comma: x" in told
    assert "in doubt 1.234 as 1234: money" in told
    frame, told = read(",", x=["0.5", "1.25"], money=["1,234", "5,678"])
    assert frame["money"].tolist() == [1234, 5678]
    assert "in doubt 1,234 as 1234: money" in told
    assert read(";", x=["1,234", "5,678"])[0]["x"].tolist() == [1.234, 5.678]
    assert read(",", x=["1.234", "5.678"])[0]["x"].tolist() == [1.234, 5.678]
    assert read(";", x=["1.234", "5.678"], n=["1", "2"])[0]["x"].tolist() == [1.234, 5.678]


def test_currencies_and_per_cent_are_numbers():
    frame, _ = read(",", a=["$1,234.50", "$7.25"], b=["12%", "3%"], c=["1 €", "12 €"], d=["c12", "c13"])
    accounts, _ = read(",", a=["(1,234.50)", "7.25"], b=["12-", "3"], c=["($5.00)", "$1.25"], d=[" -12", " 3"])
    assert accounts.iloc[0].tolist() == [-1234.5, -12, -5, -12]
    assert str(read(",", phone=["+491711234567", "+491711234568"])[0]["phone"].dtype) == "string"
    assert frame["a"].tolist() == [1234.5, 7.25]
    assert [str(kind) for kind in frame.dtypes] == ["Float64", "Int64", "Int64", "string"]


def test_whole_numbers_that_no_float_holds_are_texts():
    frame, told = read(card=[str(2**60 + 1), "5"], long=["9" * 5_000, "1"], exact=[str(2**53), str(-(2**53))])
    assert frame["card"].tolist() == [str(2**60 + 1), "5"]
    assert frame["exact"].tolist() == [2**53, -(2**53)]
    assert "whole numbers beyond 2^53 are read as texts, digit by digit: card, long" in told


def test_infinite_numbers_and_zeros_without_sign():
    frame, _ = read(x=["Inf", "-Inf", "1.5"])
    assert frame["x"].tolist() == [np.inf, -np.inf, 1.5]
    zero = typed({"x": pa.array(["-0.0", "1.5"])}, ",", ()).frame["x"]
    assert not np.signbit(zero[0])


@pytest.mark.parametrize("stray", ["old", "1.2.3", "n/a?"])
def test_a_few_texts_among_numbers_are_an_error_and_many_are_told(stray):
    numbers = [str(n) for n in range(40)]
    with pytest.raises(TaskError, match=r"columns: 'x' holds numbers but for 1 text such as"):
        typed({"x": pa.array([*numbers, stray])}, ",", ())
    assert typed({"x": pa.array([*numbers, stray])}, ",", ("x",)).remarks == []
    told = typed({"x": pa.array([*numbers, *[stray] * 10])}, ",", ()).remarks
    assert told == [f"read as texts, though most of them are numbers: x (such as {stray!r})"]


def test_whole_numbers_that_are_texts_in_their_file_are_codes():
    frame, _ = read(text_codes=True, zip=["1234", "5678"], price=["1.50", "2.25"], yes=["NA", "x"])
    assert frame["zip"].tolist() == ["1234", "5678"]
    assert frame["price"].tolist() == [1.5, 2.25]


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (
            ["2024-01-31T10:00:00.123Z", "2024-02-01T00:00:00.000Z"],
            ["2024-01-31T10:00:00.123000", "2024-02-01T00:00:00.000000"],
        ),
        (["2024-01-31 10:00:00+01:00", "2024-02-01 00:00:00+01:00"], ["2024-01-31 10:00:00", "2024-02-01 00:00:00"]),
        (["2024-01-31 10:00 UTC", "2024-02-01 00:00 UTC"], ["2024-01-31 10:00", "2024-02-01 00:00"]),
        (
            ["2024-01-31T10:00:00.5", "2024-02-01T00:00:00.0"],
            ["2024-01-31T10:00:00.500000", "2024-02-01T00:00:00.000000"],
        ),
        (["2024-01-31T10:00:00.123456789+05:30"] * 2, ["2024-01-31T10:00:00.123456"] * 2),
        (["2024-01-31 10:00:00", ""], ["2024-01-31 10:00:00", None]),
        (
            ["2024-13-31 10:00:00+01:00", "2024-13-31 10:00:00+02:00"],
            ["2024-13-31 10:00:00+01:00", "2024-13-31 10:00:00+02:00"],
        ),
    ],
)
def test_times_have_no_zone_and_six_decimals(texts, values):
    result = typed({"t": pa.array(texts)}, ",", ())
    read = result.frame["t"]
    assert read.astype(object).where(read.notna(), None).tolist() == values
    if "456789" not in texts[0]:
        assert [result.writings["t"].text(value) for value in values] == [*texts[:-1], texts[-1]]


def test_times_in_several_zones_are_those_of_the_most_frequent_one():
    result = typed(
        {"t": pa.array(["2024-03-30T10:00:00+01:00", "2024-03-31T10:00:00+02:00", "2024-03-30T11:00:00+01:00"])},
        ",",
        (),
    )
    assert result.frame["t"].tolist()[1] == "2024-03-31T09:00:00"
    assert result.remarks == ["times in several zones are written in +01:00: t"]


def test_many_names_are_counted():
    assert listed([f"c{n}" for n in range(12)]) == "c0, c1, c2, c3, c4, and 7 more"
    assert isinstance(read(x=["1", "2"])[0], pd.DataFrame)
