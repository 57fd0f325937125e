"""Reads a table from a text whose columns a character separates, and writes rows as the text has them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from gansearch.formatting import many, printable
from gansearch.gan.options import option_error
from gansearch.gan.readers.contents import decode
from gansearch.gan.readers.files import LEAST, need
from gansearch.gan.readers.layout import Layout, is_data, layout_of, without_spaces
from gansearch.gan.readers.texts import listed, typed

MOST_COLUMNS = 5_000
_FEW = 0.1
"""Share of the rows up to which those with too few fields are left out; more are how the file is written."""


class Delimited:
    """A table in a text, such as CSV."""

    def __init__(
        self,
        data: bytes,
        separator: str,
        header: bool | None,
        wanted: Callable[[Sequence[str]], Sequence[str]],
        known: Collection[str],
        names: Collection[str],
    ):
        """Reads the columns that `wanted` chooses by their names.

        `separator` "" and `header` None are found. `known` are columns that the user says to be choices or identifiers,
        `names` all that the user names. Raises TaskError, and what csv and pyarrow raise.
        """
        text, self._encoding = decode(data)
        self.warnings: list[str] = []
        self._separator = ""
        """That of what is written, where it is another one than that of what is parsed."""
        if not separator and (spaced := without_spaces(text)) is not None:
            text, separator, self._separator = spaced, "\t", " "
            self.warnings.append("its columns are separated by spaces")
        self._layout = layout = layout_of(text, separator, header, names)
        if layout.width > MOST_COLUMNS:
            raise option_error("path", f"the file has {layout.width:,} columns, but {MOST_COLUMNS:,} are the most")
        need(len(text[layout.start :].strip()) and LEAST, "rows", "the file is empty")
        if self._encoding.codec in ("cp1252", "latin-1"):
            self.warnings.append("it is not in UTF-8: letters are read as Windows-1252, and written so")
        table = self._rows(text[layout.start :])
        del text
        self._written = _names(layout, table)
        unique = self._unique(self._written)
        self._chosen = [unique.index(name) for name in wanted(unique)]
        columns = {unique[place]: table.column(place).combine_chunks() for place in self._chosen}
        self._tell_layout(unique)
        result = typed(columns, layout.separator, known)
        self.frame, self._writings = result.frame, result.writings
        self.warnings += result.remarks

    def files(self, made: pd.DataFrame) -> dict[str, bytes]:
        """The rows as a file of the same kind."""
        layout, stream = self._layout, io.StringIO(newline="")
        stream.write(layout.before)
        marks = {**layout.marks, "delimiter": self._separator or layout.separator}
        writer = csv.writer(stream, lineterminator=layout.newline, **marks)
        if layout.header is not None:
            all_are = self._chosen == list(range(layout.width))
            writer.writerow(layout.header if all_are else [self._written[place] for place in self._chosen])
        writings = [self._writings[str(name)] for name in made]
        for row in made.itertuples(index=False, name=None):
            writer.writerow([writing.text(value) for writing, value in zip(writings, row, strict=True)])
        return {"samples.csv": self._encoding.bytes_of(stream.getvalue())}

    def _rows(self, text: str) -> Any:
        """The table of the rows, all as texts."""
        layout, broken = self._layout, list[Any]()

        def note(row: Any) -> str:
            broken.append(row.text)
            return "skip"

        if layout.marks.get("skipinitialspace"):  # pyarrow takes a quotation mark behind a space for text
            stream = io.StringIO(newline="")
            csv.writer(stream, **layout.marks).writerows(csv.reader(io.StringIO(text, newline=""), **layout.marks))
            text = stream.getvalue()
        table = _parsed(text, layout, note)
        if broken:
            _check_quotes(broken, layout)
            table = _parsed(self._evened(text, broken), layout, note)
        for column in table.columns if layout.width > 1 else ():
            _check_quotes(column.filter(pc.match_substring(column, "\n")).to_pylist(), layout)
        filled = ~np.logical_and.reduce([pc.equal(column, "").to_numpy() for column in table.columns])
        header = layout.header if layout.header and len(layout.header) == layout.width else None
        named = [pc.equal(column, name).to_numpy() for column, name in zip(table.columns, header or (), strict=False)]
        repeated = np.logical_and.reduce(named) if named else np.zeros(len(table), bool)
        if layout.width > 1 and (empty := len(table) - int(filled.sum())):
            self.warnings.append(f"{many(empty, 'empty row')} left out")
            table = table.filter(pa.array(filled))
            repeated = repeated[filled]
        if repeated.any():
            self.warnings.append(f"{many(int(repeated.sum()), 'repetition')} of the names left out")
            table = table.filter(pa.array(~repeated))
        return table

    def _evened(self, text: str, broken: Sequence[str]) -> str:
        """The text with as many fields in every row; what cannot be mended is left out, and told."""
        layout, width = self._layout, self._layout.width
        rows = csv.reader(io.StringIO(text, newline=""), **layout.marks)
        lengths = [len(row) for row in csv.reader(broken, **layout.marks) if not _is_remark(row)]
        total = text.count(layout.newline) + 1
        fill = sum(length < width for length in lengths) > _FEW * total
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, **layout.marks)
        short, cut, out, remarks, first = 0, 0, 0, 0, ""
        for row in rows:
            if len(row) > width and not any(cell.strip() for cell in row[width:]):
                cut, row = cut + 1, row[:width]
            elif len(row) < width and _is_remark(row):
                remarks, row = remarks + 1, []
            elif row and len(row) < width and fill:
                short, row = short + 1, [*row, *[""] * (width - len(row))]
            if len(row) == width:
                writer.writerow(row)
            elif row:
                out, first = out + 1, first or f"row {rows.line_num} has {len(row)} in place of {width}"
        if out > max(1, _FEW * total):
            raise option_error(
                "path",
                f"{out:,} of about {total:,} rows have another number of fields, the first: {first}; quote texts "
                f"that hold {layout.separator!r}, or name what separates the columns: separator",
            )
        self.warnings += [f"{many(short, 'row')} with too few fields: the last are read as missing"] * bool(short)
        self.warnings += [f"{many(cut, 'row')} with more separators than columns at the end, which are ignored"] * bool(
            cut
        )
        self.warnings += [f"{many(out, 'row')} left out with another number of fields: {first}"] * bool(out)
        self.warnings += [f"{many(remarks, 'remark')} left out"] * bool(remarks)
        return stream.getvalue()

    def _unique(self, written: Sequence[str]) -> list[str]:
        """Names as pandas makes them different; tells which were not."""
        unique: list[str] = []
        taken = set(written)
        repeated = []
        for place, name in enumerate(written):
            base = name.strip() and name
            new, number = base or f"Unnamed: {place}", 0
            while new in unique or (new in taken and new != name):
                number += 1
                new = f"{base or f'Unnamed: {place}'}.{number}"
            repeated += [name] * (bool(base) and new != name)
            unique.append(new)
        if repeated:
            self.warnings.append(
                f"names that several columns have get a number, as in {printable(repeated[0])}.1: {listed(repeated)}"
            )
        return unique

    def _tell_layout(self, names: Sequence[str]) -> None:
        """Tells how the names are read where this could be otherwise."""
        layout = self._layout
        lines = layout.before.count(layout.newline)
        self.warnings += [f"{many(lines, 'line')} before the names left out"] * bool(
            lines and not layout.before.startswith("sep=")
        )
        if layout.header is None:
            called = "columns are called " + " to ".join(dict.fromkeys([names[0], names[-1]]))
            self.warnings.append(f"its first row holds no names; {called} (header: true changes it)")
        elif len(layout.header) < layout.width:
            side = "behind the last separator" if not self._written[-1] else "in front"
            new = listed([name for name in names if name.startswith("Unnamed: ")])
            self.warnings.append(f"it has {len(layout.header)} names for {layout.width} columns: that {side} is {new}")


def _is_remark(row: Sequence[str]) -> bool:
    return bool(row) and row[0].startswith("#")


def _parsed(text: str, layout: Layout, note: Callable[[Any], str]) -> Any:
    """The rows of a text as a table of texts; those with another number of fields are given to `note`."""
    data, names = text.encode("utf-8", "replace"), [str(place) for place in range(layout.width)]
    return pyarrow.csv.read_csv(
        pa.BufferReader(data),
        read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=len(data) + 1, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=layout.separator,
            quote_char=layout.marks["quotechar"],
            escape_char=layout.marks.get("escapechar", False),
            newlines_in_values=True,
            invalid_row_handler=note,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )


def _check_quotes(values: Sequence[str], layout: Layout) -> None:
    """Raises TaskError where a quotation mark is not closed, so that a field takes rows in."""
    for value in values:
        lines = [line.split(layout.separator) for line in value.splitlines()[1:]]
        whole = sum(len(line) == layout.width and is_data(line) for line in lines)
        if whole > 1 and whole >= len(lines) - 1:
            start = value.splitlines()[0][-40:]
            raise option_error(
                "path", f"a quotation mark near {start!r} is not closed: it takes in {many(whole, 'row')}"
            )


def _names(layout: Layout, table: Any) -> list[str]:
    """The names of a table's columns, as written: of a file without them numbers, "" for a column that has none.

    A name too few leaves out that of row names in front, as R does, or of an empty column behind the last separator.
    """
    if layout.header is None:
        return [str(number) for number in range(layout.width)]
    missing = layout.width - len(layout.header)
    if not missing:
        return layout.header
    if missing == 1 and pc.all(pc.equal(table.column(layout.width - 1), "")).as_py():
        return [*layout.header, ""]
    if missing == 1 and pc.count_distinct(table.column(0)).as_py() == len(table):
        return ["", *layout.header]
    raise option_error(
        "path",
        f"there are {many(len(layout.header), 'name')} for {layout.width} columns; quote texts that hold "
        f"{layout.separator!r}, or name what separates the columns: separator",
    )
