"""Arrays and tables of a results folder, whose files may claim more than they hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gansearch.store.containment import Refused, open_file

_GROWTH, _FREE_BYTES = 1000, 2**26
"""How often larger than its file a table may be in memory, and from what size on that is asked."""
_NUMBERS = "biuf"
"""The kinds of NumPy's numbers."""


def read_array(path: Path) -> np.ndarray:
    """Return the numbers of a .npy file; nothing is allocated for what it only claims to hold.

    Raises OSError or ValueError where they cannot be read, and Refused for a link or a file that is too large.
    """
    open_file(path).close()
    with _unreadable(path), np.errstate(over="ignore"):
        array = np.lib.format.open_memmap(path, mode="r")
        if array.dtype.kind not in _NUMBERS:
            raise ValueError(f"holds {array.dtype}, no numbers")
        return np.array(array)


def read_table(path: Path, filters: Any = None) -> pd.DataFrame:
    """Return the table of a parquet file, or those of its rows that `filters` picks.

    Raises OSError or ValueError where it cannot be read, and Refused for a link, a file that is too large, or one that
    would become much larger in memory.
    """
    with open_file(path) as file, _unreadable(path):
        most = _FREE_BYTES + _GROWTH * os.fstat(file.fileno()).st_size
        metadata = pq.ParquetFile(file).metadata
        columns = [(group, place) for group in range(metadata.num_row_groups) for place in range(metadata.num_columns)]
        chunks = [metadata.row_group(group).column(place) for group, place in columns]
        claimed = sum(8 * chunk.num_values + chunk.total_uncompressed_size for chunk in chunks)
        texts = {chunk.path_in_schema for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"}
        lists = [chunk for chunk in chunks if "." in chunk.path_in_schema and chunk.physical_type == "BYTE_ARRAY"]
        nested = sum(chunk.num_values * chunk.total_uncompressed_size for chunk in lists)
        if claimed + nested > most:
            raise Refused(f"{path} would take {claimed / 1e6:,.0f} MB of memory")
        file.seek(0)
        # A text that a column repeats is in the file once: what all of it takes is known before it is repeated.
        table = pq.read_table(file, filters=filters, read_dictionary=[*texts])
        for place, name in enumerate(table.column_names):
            if pa.types.is_dictionary(table.schema.types[place]):
                table = table.set_column(place, name, _repeated(table.column(place), most, path))
        return table.to_pandas()


def _repeated(column: pa.ChunkedArray, most: int, path: Path) -> pa.ChunkedArray:
    """Return a column of texts without its dictionary. Raises Refused where that takes more than `most` bytes."""
    size = 0
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary)
        size += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    if size > most:
        raise Refused(f"{path} repeats texts to {size / 1e6:,.0f} MB")
    return column.cast(column.type.value_type)


@contextmanager
def _unreadable(path: Path) -> Iterator[None]:
    """Make a ValueError of what readers raise about a file that is damaged, or made to damage."""
    try:
        yield
    except (OSError, ValueError):
        raise
    except (
        *(pa.ArrowException, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError),
        *(SyntaxError, TypeError),
    ) as error:
        raise ValueError(f"{path}: {error}") from None
