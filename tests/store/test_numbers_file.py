"""Arrays and tables that claim more than they hold, or hold what is no number."""

import io
import pickle
from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gansearch.store import numbers_file
from gansearch.store.containment import Refused
from gansearch.store.numbers_file import read_array, read_table


def npy(shape, dtype="<f8", data=b""):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + data


@pytest.mark.parametrize(
    "content",
    [
        npy((10**13,)),
        npy((2**62, 2**62)),
        npy((10, 3), data=bytes(100)),
        npy((1,), "|O", pickle.dumps([print])),
        npy((1,), "<U4", bytes(16)),
        npy((1,), "<c8", bytes(8)),
        b"\x93NUMPY\x01\x00\xff\xff",
        b"PK\x03\x04",
        b"",
    ],
)
def test_an_array_that_lies_is_refused_without_memory_for_it(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises((ValueError, OSError)):
        read_array(tmp_path / "a.npy")


def test_an_array_is_read(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    assert (read_array(tmp_path / "a.npy") == array).all()
    (tmp_path / "b.npy").symlink_to(tmp_path / "a.npy")
    with pytest.raises(Refused, match="is a link"):
        read_array(tmp_path / "b.npy")


def test_a_table_is_read_as_pandas_reads_it(tmp_path):
    path = tmp_path / "a.parquet"
    columns = {"number": [1, 2, 3], "error": ["", "text", None], "betas": [[0.0, 0.9], [0.5, 0.9], None]}
    pd.DataFrame({**columns, "ended": pd.to_datetime(["2030-01-01"] * 3, utc=True)}).to_parquet(path, index=False)
    pd.testing.assert_frame_equal(read_table(path), pd.read_parquet(path))
    one = [("number", "==", 2)]
    pd.testing.assert_frame_equal(read_table(path, one), pd.read_parquet(path, filters=one))


def test_tables_that_become_much_larger_in_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(numbers_file, "_FREE_BYTES", 2**10)
    constant, text, lists = (tmp_path / f"{name}.parquet" for name in ("constant", "text", "lists"))
    pq.write_table(pa.table({"a": pa.array(np.zeros(10**7))}), constant)
    long = pa.DictionaryArray.from_arrays(pa.array(np.zeros(5_000, np.int32)), pa.array(["x" * 10**6]))
    pq.write_table(pa.table({"a": long}), text)
    pq.write_table(pa.table({"a": pa.array([["x" * 10**5] * 100] * 100)}), lists)
    assert max(path.stat().st_size for path in (constant, text, lists)) < 10**6
    for path, why in ((constant, "would take"), (text, "repeats texts to 5,000 MB"), (lists, "would take")):
        with pytest.raises(Refused, match=why):
            read_table(path)


def test_damage_is_told_as_a_value_error(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"number": range(1000), "error": ["text"] * 1000}).to_parquet(path)
    whole = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for _ in range(200):
        broken = whole.copy()
        for place in rng.integers(0, len(whole), 5):
            broken[place] = rng.integers(0, 256)
        path.write_bytes(broken)
        with suppress(OSError, ValueError):
            read_table(path)
