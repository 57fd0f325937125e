"""The kinds of text that a log can be: JSON lines, a table with a delimiter, printed lines."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np

from gansearch.diagnosis.reading.cells import column, number
from gansearch.diagnosis.reading.names import counter, meaning
from gansearch.diagnosis.reading.pairs import Layout, Layouts
from gansearch.diagnosis.reading.records import Records

DELIMITERS = (",", ";", "\t", "|", None)
"""None: any white space."""
RULE = re.compile(r"[\s|+:=-]*")
"""A line under a table's header."""
NAMED = re.compile(r"[A-Za-z]\w*\s*[:=]\s*[-+]?[\d.]")


def left_out(count: int, what: str) -> list[str]:
    """A note on lines that were not taken, empty where there are none."""
    return [f"{count} {'line is' if count == 1 else 'lines are'} {what} and left out."] if count else []


class Source(Protocol):
    """A reader of one kind of text, fed with lines."""

    records: Records

    def feed(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines with their numbers."""

    def last(self, line: str, number: int) -> None:
        """Take a line without an end, unless it was cut in its last number."""

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""


class Printed:
    """Printed lines: pairs of a name and a number, by layouts.

    A record ends where one of its names comes again, so that a record may be spread over several lines.
    """

    def __init__(self, stem: str = "") -> None:
        self.records = Records()
        self.layouts = Layouts()
        self._stem = stem
        self._id = -1
        self._seen: set[Layout] = set()
        self._names: set[str] = set()
        self._cut = 0

    def feed(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines with their numbers."""
        match, seen, record = self.layouts.match, self._seen, self._id
        ids: list[int] = []
        begins: list[int] = []
        for line, at in zip(lines, numbers, strict=True):
            found = match(line)
            if found is None:
                continue
            layout, row = found
            layout.count += 1
            if not row:
                continue
            if record < 0 or layout.counts or layout in seen or not self._names.isdisjoint(layout.names):
                record += 1
                seen.clear()
                self._names.clear()
                ids.append(record)
                begins.append(at)
            seen.add(layout)
            self._names.update(layout.names)
            layout.ids.append(record)
            layout.rows.append(row)
        self._id = record
        self.records.add_lines(ids, begins)
        self._flush()

    def last(self, line: str, number: int) -> None:
        """Take a line without an end, unless it was cut in its last number."""
        found = self.layouts.match(line)
        if found and found[0].ends_in_number and len(found[1][-1]) < found[0].shortest:
            self._cut += 1
        else:
            self.feed([line], [number])

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""
        return left_out(self._cut, "cut off in the middle")

    def _flush(self) -> None:
        """Move the rows into the table, but those of lines that were cut."""
        common = sorted((one for one in self.layouts.all.values() if one.count > 2), key=lambda one: -one.count)[:20]
        for layout in self.layouts.all.values():
            if not layout.rows:
                continue
            names, rows, ids = layout.names, layout.rows, np.array(layout.ids)
            layout.rows, layout.ids = [], []
            if any(max(2, one.count / 20) >= layout.count < one.count and cut(layout, one) for one in common):
                self._cut += len(rows)
                continue
            layout.shortest = min(layout.shortest, *(len(row[-1]) for row in rows[:1000]), 99)
            for name, cells in zip(names, zip(*rows, strict=True), strict=True):
                values, printed = column(cells)
                self.records.add(name, ids[printed], values[printed])


def cut(layout: Layout, whole: Layout) -> bool:
    """Whether lines of a layout are lines of another without their begin or end, or with something else inside."""
    part, texts = layout.texts, whole.texts
    length = len(part)
    if layout is whole:
        return False
    if length <= len(texts):
        begin = part[:-1] == texts[: length - 1] and texts[length - 1].startswith(part[-1])
        end = part[1:] == texts[len(texts) - length + 1 :] and texts[len(texts) - length].endswith(part[0])
        if begin or end:
            return True
    same = next((i for i, (one, other) in enumerate(zip(part, texts, strict=False)) if one != other), 0)
    return same >= 2 and bool(texts[same]) and part[same][:1] != texts[same][:1]


class Table:
    """A table with a delimiter, with or without a header; a header that comes again begins anew."""

    def __init__(self, names: Sequence[str], delimiter: str | None) -> None:
        self.records = Records()
        self._names = list(names)
        self._delimiter = delimiter
        self._id = 0
        self._shortest = 99
        self._skipped = 0

    def feed(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines with their numbers."""
        rows: list[list[str]] = []
        at: list[int] = []
        for fields, line in zip(split(lines, self._delimiter), numbers, strict=True):
            if len(fields) == len(self._names) and fields != self._names:
                rows.append(fields)
                at.append(line)
            elif fields == self._names or RULE.fullmatch("".join(fields)):
                continue
            elif len(fields) > 1 and not any(map(is_number, fields)):
                self._take(rows, at)
                rows, at, self._names = [], [], [name.strip() for name in fields]
            elif any(field.strip() for field in fields):
                self._skipped += 1
        self._take(rows, at)

    def last(self, line: str, number: int) -> None:
        """Take a line without an end, unless it was cut in its last number."""
        cells = split([line], self._delimiter)[0]
        if len(cells) == len(self._names) and is_number(cells[-1]) and len(cells[-1]) < self._shortest:
            self._skipped += 1
        else:
            self.feed([line], [number])

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""
        return left_out(self._skipped, "without as many cells as the header")

    def _take(self, rows: list[list[str]], at: list[int]) -> None:
        if not rows:
            return
        ids = np.arange(self._id, self._id + len(rows))
        self._id += len(rows)
        self._shortest = min(self._shortest, min(len(row[-1]) for row in rows))
        self.records.add_lines(ids, at)
        for name, cells in zip(self._names, zip(*rows, strict=True), strict=True):
            if name:
                values, printed = column([decimal(cell) for cell in cells] if self._delimiter == ";" else cells)
                self.records.add(name, ids[printed], values[printed])


def split(lines: Sequence[str], delimiter: str | None) -> list[list[str]]:
    """Lines as cells."""
    if delimiter is None:
        return [line.split() for line in lines]
    if delimiter == "|":
        return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    if any('"' in line for line in lines):
        return [next(csv.reader([line.replace("\0", "")], delimiter=delimiter), []) for line in lines]
    return [line.split(delimiter) for line in lines]


def decimal(cell: str) -> str:
    """A cell with a decimal comma as one with a point."""
    return cell.replace(",", ".") if re.fullmatch(r"\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*", cell) else cell


def is_number(cell: str) -> bool:
    """Whether a cell is a number or blank."""
    try:
        number(decimal(cell))
    except ValueError:
        return False
    return True


class JsonLines:
    """A JSON object a line; nested names are joined by a slash, `{"mean": …, "std": …}` becomes two columns."""

    def __init__(self) -> None:
        self.records = Records()
        self._id = 0
        self._skipped = 0

    def feed(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines with their numbers."""
        columns: dict[str, tuple[list[int], list[float]]] = {}
        begins: list[int] = []
        first = self._id
        for line, at in zip(lines, numbers, strict=True):
            found = json_object(line)
            if found is None:
                self._skipped += bool(line.strip())
                continue
            for name, value in flattened(found).items():
                ids, values = columns.setdefault(name, ([], []))
                ids.append(self._id)
                values.append(value)
            begins.append(at)
            self._id += 1
        self.records.add_lines(range(first, self._id), begins)
        for name, (ids, values) in columns.items():
            self.records.add(name, np.array(ids), np.array(values))

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""
        return left_out(self._skipped, "no JSON objects")

    def last(self, line: str, number: int) -> None:
        """Take a line without an end: an object has one of its own."""
        self.feed([line], [number])


def json_object(line: str) -> dict[str, Any] | None:
    """The object that a line is, None if it is none."""
    line = line.strip()
    if not (line.startswith("{") and line.endswith("}")):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def flattened(value: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """The numbers of a nested object by their joined names."""
    numbers: dict[str, float] = {}
    for name, one in value.items():
        path = f"{prefix}{name}"
        if isinstance(one, list) and len(one) == 1:
            one = one[0]
        if isinstance(one, dict) and "mean" in one:
            if one.get("num", 1) and isinstance(one["mean"], int | float):
                numbers[path] = float(one["mean"])
                if isinstance(one.get("std"), int | float):
                    numbers[f"{path}:std"] = float(one["std"])
        elif isinstance(one, dict):
            numbers |= flattened(one, f"{path}/")
        elif isinstance(one, int | float) and not isinstance(one, bool):
            numbers[path] = float(one)
        elif isinstance(one, str):
            try:
                value_of = number(one)
            except ValueError:
                continue
            if value_of is not None:
                numbers[path] = value_of
    return numbers


def sniff(lines: Sequence[str], stem: str) -> tuple[Source, str]:
    """The reader for a text that begins with these lines, and what it is read as."""
    full = list(islice((line for line in lines if line.strip()), 60))
    objects = [line for line in full if json_object(line) is not None]
    if objects and len(objects) >= len(full) / 4:
        return JsonLines(), "JSON lines"
    for start, line in enumerate(full[:12]):
        table = sniff_table(line, full[start + 1 : start + 40], stem)
        if table is not None:
            return table
    return Printed(stem), "printed lines"


def sniff_table(header: str, below: Sequence[str], stem: str) -> tuple[Source, str] | None:
    """A table's reader, if a line is its header or its first row, and there are rows below."""
    below = [line for line in below if not RULE.fullmatch(line)]
    for delimiter in DELIMITERS:
        (names, *rows) = split([header, *below], delimiter)
        same = [row for row in rows if len(row) == len(names)]
        if len(names) < 2 or (rows and len(same) < 0.6 * len(rows)) or NAMED.search(header):
            continue
        cells = [cell for row in same for cell in row]
        numeric = sum(map(is_number, cells)) >= 0.6 * len(cells)
        kind = {",": "CSV", ";": "CSV with semicolons", "\t": "a table with tabs"}.get(delimiter or "", "a table")
        if not any(map(is_number, names)):
            words = sum(bool(meaning(name.strip()) or counter(name.strip())) for name in names)
            if same and numeric and any(cell.strip() for cell in cells) and (delimiter or words >= 2):
                return Table([name.strip().strip('"') for name in names], delimiter), kind
        elif same and numeric and all(map(is_number, names)):
            numbered = [f"column {place}" for place in range(1, len(names) + 1)]
            return Table(numbered, delimiter), f"{kind} without a header"
    if not below or not all(re.fullmatch(r"\s*[-+]?[\w.+-]+(:\s*[-+\w.]+)?\s*", line) for line in (header, *below)):
        return None
    if is_number(header) and all(map(is_number, below)):
        return Table([stem or "value"], ","), "a column of numbers"
    pairs = [line.partition(":") for line in (header, *below)]
    if all(colon and is_number(step) and is_number(value) for step, colon, value in pairs):
        return Table(["step", stem or "value"], ":"), "a file of one quantity"
    return None
