"""Reads a table from a parquet file, and writes rows with the file's own types."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gansearch.gan.encoding.forms import plain_values
from gansearch.gan.options import option_error
from gansearch.gan.readers.texts import EXACT, Typed, listed, typed
from gansearch.gan.readers.writing import Writing

MOST_CELLS = 200_000_000
"""Rows times columns that are read."""
_YEAR_1, _YEAR_10000 = -62_135_596_800, 253_402_300_800
"""Their beginnings, in seconds since 1970."""
_SPAN = 290 * 31_556_952
"""Seconds that pandas counts in nanoseconds."""
_EXACT_DIGITS = 15
"""Digits of a decimal number that a float64 holds."""


class Parquet:
    """A table in a parquet file."""

    def __init__(self, source: Path | bytes, wanted: Callable[[Sequence[str]], Sequence[str]], known: Collection[str]):
        """Reads the columns that `wanted` chooses by their names. Raises TaskError, and what pyarrow raises.

        `known` are columns that the user says to be choices or identifiers.
        """
        file = pq.ParquetFile(pa.BufferReader(source) if isinstance(source, bytes) else source)
        names = wanted(file.schema_arrow.names)
        if len(set(file.schema_arrow.names)) < len(file.schema_arrow.names):
            raise option_error("path", "the file has several columns of one name; write them with different ones")
        if file.metadata.num_rows * len(names) > MOST_CELLS:
            most = f"{MOST_CELLS:,} values are the most"
            raise option_error(
                "path", f"{file.metadata.num_rows:,} rows of {len(names):,} columns: {most}; choose columns"
            )
        for name in names:
            _check_type(name, file.schema_arrow.field(name).type)
        table = file.read(columns=list(names)).select(list(names)).combine_chunks()
        table.validate(full=True)
        for name in names:
            _check_years(name, table.column(name))
        self._schema = table.schema
        self._fields = {
            field.name: table.column(field.name) for field in self._schema if pa.types.is_dictionary(field.type)
        }
        texts = {name: _texts(table.column(name)) for name in names if _is_text(table.schema.field(name).type)}
        read = typed(texts, "", known, text_codes=True) if texts else Typed(pd.DataFrame(), {}, [])
        self._writings, self.warnings = read.writings, list(read.remarks)
        series = {name: read.frame[name] if name in texts else _series(table.column(name)) for name in names}
        self.frame = plain_values(pd.DataFrame(series))
        long = [name for name in names if name not in texts and _is_long(table.column(name))]
        if long:
            self.warnings.append(f"numbers with more digits than a float64 holds are read as texts: {listed(long)}")

    def files(self, made: pd.DataFrame) -> dict[str, bytes]:
        """The rows as a file of the same kind."""
        arrays = [self._array(made[field.name].tolist(), field) for field in self._schema]
        stream = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(arrays, schema=self._schema), stream)
        return {"samples.parquet": stream.getvalue()}

    def _array(self, values: list[Any], field: Any) -> Any:
        """Values of a column in its type."""
        if field.name in self._writings:
            writing: Writing = self._writings[field.name]
            values = [None if value is None else writing.text(value) for value in values]
        kind = field.type
        if not pa.types.is_dictionary(kind):
            return _typed_array(values, kind)
        known = self._fields[field.name].combine_chunks().dictionary
        plain = _typed_array(values, kind.value_type)
        new = plain.filter(pc.invert(pc.is_in(plain, known))).drop_null().unique()
        dictionary = pa.concat_arrays([known, new])
        return pa.DictionaryArray.from_arrays(
            pc.index_in(plain, dictionary).cast(kind.index_type), dictionary, ordered=kind.ordered
        )


def _check_type(name: str, kind: Any) -> None:
    """Raises TaskError for a column of what is no single value."""
    is_, inner = pa.types, kind.value_type if pa.types.is_dictionary(kind) else kind
    allowed = (is_.is_boolean, is_.is_integer, is_.is_floating, is_.is_decimal, _is_text, is_.is_temporal, is_.is_null)
    if not any(check(inner) for check in allowed) or is_.is_interval(inner):
        raise option_error(
            "columns", f"{name!r} holds values of the type {kind}, which no table learns; name the others"
        )


def _check_years(name: str, column: Any) -> None:
    """Raises TaskError for dates that no calendar of ours has, and durations that pandas does not hold."""
    inner = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_date(inner) or pa.types.is_timestamp(inner) or pa.types.is_duration(inner)):
        return
    second = {"date32[day]": 1 / 86_400, "date64[ms]": 1e3}.get(str(inner)) or {
        "s": 1,
        "ms": 1e3,
        "us": 1e6,
        "ns": 1e9,
    }[inner.unit]
    counts = column.cast(inner).cast(pa.int32() if inner == pa.date32() else pa.int64())
    ends = [end / second for end in pc.min_max(counts).as_py().values() if end is not None]
    if pa.types.is_duration(inner):
        if ends and max(map(abs, ends)) > _SPAN:
            raise option_error("columns", f"{name!r} holds durations of more than 290 years, which cannot be learned")
        return
    if ends and not _YEAR_1 <= ends[0] <= ends[1] < _YEAR_10000:
        years = " to ".join(f"{1970 + end / 31_556_952:,.0f}" for end in ends)
        raise option_error("columns", f"{name!r} holds dates of the years {years}; 1 to 9999 can be learned")


def _is_text(kind: Any) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _texts(column: Any) -> Any:
    """The texts of a column, "" where one is missing."""
    return pc.fill_null(column.cast(pa.string()), "").combine_chunks()


def _is_long(column: Any) -> bool:
    """Whether a column's numbers have more digits than a float64."""
    kind = column.type
    if pa.types.is_decimal(kind):
        return bool(kind.precision > _EXACT_DIGITS) and _digits(column) > _EXACT_DIGITS
    if not pa.types.is_integer(kind) or kind.bit_width < 64:
        return False
    ends = pc.min_max(column)
    return any(abs(end or 0) > EXACT for end in (ends["min"].as_py(), ends["max"].as_py()))


def _digits(column: Any) -> int:
    return max((len(value.as_tuple().digits) for value in column.unique().to_pylist() if value is not None), default=0)


def _series(column: Any) -> pd.Series:
    """A column as numbers, truth values, dates and durations of pandas, or texts of what a float64 does not hold."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind, gaps = column.type, column.is_null().to_numpy()
    if _is_long(column):
        return pd.Series(column.cast(pa.string()).to_pylist(), dtype="string")
    if pa.types.is_time(kind):
        column = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
        kind = column.type
    if pa.types.is_boolean(kind):
        return pd.Series(pd.arrays.BooleanArray(pc.fill_null(column, False).to_numpy(), gaps))
    if pa.types.is_integer(kind):
        return pd.Series(pd.arrays.IntegerArray(pc.fill_null(column, 0).to_numpy().astype(np.int64), gaps))
    if pa.types.is_null(kind):
        return pd.Series([None] * len(column), dtype="string")
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy().copy()
        if pa.types.is_floating(kind) and kind.bit_width < 64:  # 0.1 in 32 bits is 0.1, not 0.10000000149
            numbers = pc.fill_null(column, 0).to_numpy().astype(str).astype(float)
        gaps = gaps | np.isnan(numbers)
        return pd.Series(pd.arrays.FloatingArray(np.where(gaps, 0.0, numbers), gaps))
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("ms"))
    values = pd.Series(column.to_pandas())
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    local = values.dt.tz_localize(None)
    parts = [".%f"] if local.dt.microsecond.any() else []
    is_day = not parts and bool((local.dropna() == local.dropna().dt.normalize()).all())
    return local.dt.strftime("%Y-%m-%d" if is_day else "".join(["%Y-%m-%d %H:%M:%S", *parts])).astype("string")


def _typed_array(values: list[Any], kind: Any) -> Any:
    """An array of values that are written as texts or numbers in a type of the file."""
    is_ = pa.types
    if is_.is_null(kind):
        return pa.nulls(len(values))
    if is_.is_decimal(kind):
        unit = Decimal(1).scaleb(-kind.scale)
        return pa.array([None if v is None else Decimal(str(v)).quantize(unit) for v in values], kind)
    if is_.is_date(kind) or is_.is_timestamp(kind):
        times = pa.array([None if v is None else pd.Timestamp(v).to_pydatetime() for v in values], pa.timestamp("us"))
        if is_.is_timestamp(kind) and kind.tz:
            times = pc.assume_timezone(times, kind.tz, ambiguous="earliest", nonexistent="latest")
        return times.cast(kind, safe=False)
    if is_.is_duration(kind):
        spans = [None if v is None else pd.Timedelta(v).to_pytimedelta() for v in values]
        return pa.array(spans, pa.duration("us")).cast(kind, safe=False)
    if is_.is_time(kind):
        return pa.array(values, pa.int64()).cast(pa.int32() if kind.bit_width == 32 else pa.int64()).cast(kind)
    if is_.is_integer(kind):
        return pa.array([None if v is None else int(v) for v in values], kind)
    if is_.is_floating(kind):
        return pa.array([None if v is None else float(v) for v in values], pa.float64()).cast(kind)
    return pa.array(values, kind)
