"""What the columns of a table are: constants, identifiers, functions of others, choices and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import pandas as pd
import torch
from pandas.api import types
from scipy.special import ndtri
from torch import Tensor

from gansearch.experiment import suggest
from gansearch.formatting import printable
from gansearch.gan.encoding.columns import CODES, Column, order_of
from gansearch.gan.encoding.forms import Form, Plain, form_of, plain_values
from gansearch.gan.encoding.functions import Function, Lookup, exclusive, formulas, lookups, plain
from gansearch.gan.options import one_of, option_error

KINDS = ("number", "choice", "identifier")
"""What a user may say that a column is."""
WIDE = 150
"""Columns up to which those are looked for that others determine: the time grows with the cube of their number."""
FEW = 30
"""Different values up to which numbers and dates are choices."""
MOST_CHOICES = 1_000
"""Different values of a choice, at most: each takes a place of every sample."""
FEW_TEXTS = 50
"""Different texts up to which they are choices of their own; more share an order."""
_IDENTIFIER = re.compile(
    r"(^|[\W_])(id|nr|no|num|number|key|index|uuid|row|unnamed: \d+|index_level_\d+__)s?$|[a-z](ID|Id|Nr|Num|num)$",
    re.IGNORECASE,
)


class Rows:
    """The rows of a table as stored numbers and as samples, (N, W), and back to rows as they are written.

    A stored row has three float64 for each learned column; `unpack` makes a sample of it, with random ranks.
    """

    def __init__(self, frame: pd.DataFrame, kinds: Mapping[str, str], widest: int = WIDE):
        """`kinds` overrules, by column, what is found. Raises TaskError that names the column.

        In tables of more than `widest` columns none is looked for that others determine.
        """
        table = {str(name): values for name, values in plain_values(frame).items()}
        self.names = list(table)
        _check(table, kinds)
        self.constants = {name: plain(v)[0] for name, v in table.items() if v.nunique(dropna=False) < 2}
        self.identifiers = {
            name: Identifier(values)
            for name, values in table.items()
            if kinds.get(name, "identifier" if _is_identifier(name, values) else "") == "identifier"
        }
        rest = {n: v for n, v in table.items() if n not in self.constants and n not in self.identifiers}
        forms = {name: form_of(values) for name, values in rest.items()}
        self.groups: dict[str, pd.Series] = {}
        """Choices that stand for columns of which at most one is 1, by the names of these."""
        self.is_wide = len(rest) > widest
        free = set(rest) - kinds.keys()
        with np.errstate(all="ignore"):  # numbers may be too large to be squared
            self.functions = [] if self.is_wide else self._found(rest, {n: f for n, f in forms.items() if f}, free)
        rest |= self.groups
        derived = {function.name for function in self.functions}
        self.columns = _learned({n: v for n, v in rest.items() if n not in derived}, forms, kinds)
        if not self.columns:
            remedy = "; what separates its columns? (separator)" if len(self.names) == 1 else ""
            raise option_error("path", f"the table has no column to learn: all are constants or identifiers{remedy}")
        self.stored = np.concatenate([column.encode(rest[column.name]) for column in self.columns], 1)
        self._unpack = Unpack(self.parts)

    def _found(self, table: Mapping[str, pd.Series], forms: Mapping[str, Form], free: set[str]) -> list[Function]:
        """The columns that others determine, each after those that it needs; makes `groups` for some."""
        numbers = {name: form.numbers(table[name]) for name, form in forms.items()}
        found: list[Function] = list(lookups(table, forms, numbers, free))
        left = {name: column for name, column in numbers.items() if name not in {f.name for f in found}}
        for group in exclusive({name: column for name, column in left.items() if name in free}):
            together = pd.DataFrame({name: table[name] for name in group}).astype("string").agg("".join, axis=1)
            self.groups["/".join(group)] = together
            for name in group:
                values = dict(zip(together.tolist(), plain(table[name]), strict=True))
                found.append(Lookup(name, "/".join(group), values))
                del left[name]
        found += formulas(forms, left, free & left.keys())
        return _ordered(found)

    @property
    def replaced(self) -> list[str]:
        """Columns of texts that differ, which hold no numbers, and whose place numbers take."""
        return [name for name, identifier in self.identifiers.items() if not identifier.is_numbered]

    @property
    def copies(self) -> int:
        """How many rows are copies of earlier ones, but for constants and identifiers."""
        return int(pd.DataFrame(self.stored).duplicated().sum())

    def unpack(self, stored: Tensor) -> Tensor:
        """(B, W) float32 samples of (B, 3C) stored rows, with ranks drawn from torch's global random numbers."""
        return self._unpack(stored)

    @property
    def parts(self) -> list[tuple[int, bool]]:
        """Of each column the places of its choices, and whether one for a number follows."""
        return [(column.choices, column.ranks is not None) for column in self.columns]

    @property
    def widths(self) -> list[int]:
        """Of each column the width of its block of a sample."""
        return [choices + number for choices, number in self.parts]

    def choice(self, name: str) -> tuple[np.ndarray, int, Column] | None:
        """(N,) int64 numbers of what the rows choose in a column, the place of its block in a sample, and the column.

        None where the column is not learned, such as one that has the same value in all rows.
        """
        names = [column.name for column in self.columns]
        if name not in names:
            return None
        number = names.index(name)
        codes = self.stored[:, number * CODES].astype(np.int64)
        return codes, sum(self.widths[:number]), self.columns[number]

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        """(N, W) float32 samples of decoded rows, numbers at the middles of their ranks."""
        frame = plain_values(frame).convert_dtypes()
        blocks = [middle(column, column.encode(frame[column.name])) for column in self.columns]
        return np.concatenate(blocks, 1, dtype=np.float32)

    def decode(self, samples: np.ndarray) -> pd.DataFrame:
        """The learned columns of (N, W) samples, as written."""
        blocks = zip(self.columns, self.split(samples), strict=True)
        return pd.DataFrame({c.name: pd.Series(c.decode(block), dtype=object) for c, block in blocks})

    def write(self, samples: np.ndarray) -> pd.DataFrame:
        """All columns of (N, W) samples, as the table has them."""
        made: dict[str, list[Any]] = {str(name): column.tolist() for name, column in self.decode(samples).items()}
        for function in self.functions:
            made[function.name] = function.compute(made)
        made |= {name: [value] * len(samples) for name, value in self.constants.items()}
        made |= {name: identifier.write(len(samples)) for name, identifier in self.identifiers.items()}
        return pd.DataFrame({name: pd.Series(made[name], dtype=object) for name in self.names})

    def split(self, samples: Any) -> list[Any]:
        """The (N, width) blocks of (N, W) samples."""
        return np.split(samples, np.cumsum(self.widths)[:-1], axis=1)

    def described(self) -> list[str]:
        """What each column is taken for, a line each."""
        what = {name: f"always {'a gap' if value is None else value}" for name, value in self.constants.items()}
        what |= {name: f"an identifier, written as {i.write(1)[0]} and on" for name, i in self.identifiers.items()}
        what |= {column.name: str(column) for column in self.columns}
        what |= {function.name: f"computed: {function}" for function in self.functions}
        return [printable(f"{name}: {what[name]}") for name in (*self.names, *self.groups)]


class Unpack:
    """(B, W) float32 samples of (B, 3C) stored rows: choices one-hot, numbers as normal scores of random ranks."""

    def __init__(self, parts: list[tuple[int, bool]]):
        starts = np.cumsum([0, *(choices + number for choices, number in parts)])
        self.width = int(starts[-1])
        numbers = torch.tensor([i for i, (_, number) in enumerate(parts) if number], dtype=torch.long)
        places = torch.from_numpy(starts[1:] - 1)[numbers]
        self._indices = {torch.device("cpu"): (torch.from_numpy(starts[:-1]), numbers, places)}

    def __call__(self, stored: Tensor) -> Tensor:
        """Draws the ranks from torch's global random numbers."""
        device = stored.device
        if device not in self._indices:  # once: a copy from the host waits for the device
            first, numbers, places = self._indices[torch.device("cpu")]
            self._indices[device] = first.to(device), numbers.to(device), places.to(device)
        first, numbers, number_places = self._indices[device]
        codes, low, high = stored.unflatten(1, (-1, CODES)).unbind(2)
        samples = torch.zeros(len(stored), self.width + 1, device=device)  # the last place takes those without choice
        places = torch.where(codes >= 0, codes.long() + first, self.width)
        samples.scatter_(1, places, 1.0)
        low, high = low[:, numbers], high[:, numbers]
        scores = torch.special.ndtri(low + torch.rand_like(low) * (high - low))
        samples[:, number_places] = scores.float()
        return samples[:, :-1]


class Identifier:
    """A column that names its rows: made-up rows are numbered anew."""

    def __init__(self, values: pd.Series):
        texts = values.dropna().astype("string")
        self.whole = types.is_integer_dtype(values.dtype)
        # A row's number begins where the table's does; names of persons and things go on after its last one.
        consecutive = self.whole and int(values.max()) - int(values.min()) == len(values) - 1
        self.first = (int(values.min()) if consecutive else int(values.max()) + 1) if self.whole else 1
        shared = re.match(r"\D*", _common_start(texts.min(), texts.max()))
        self.prefix = shared.group() if shared else ""
        numbered = self.whole or bool(texts.str.fullmatch(r"\D*\d+").all())
        self.is_numbered = numbered and values.is_unique
        lengths = set(texts.str.len())
        self.digits = lengths.pop() - len(self.prefix) if numbered and len(lengths) == 1 else 0
        if not self.whole and texts.str.fullmatch(r"[1-9]\d{0,999}").all():  # longer than 64 bits
            self.first, self.prefix, self.digits = max(map(int, texts)) + 1, "", 0

    def write(self, count: int) -> list[Any]:
        """So many new ones."""
        numbers = range(self.first, self.first + count)
        return list(numbers) if self.whole else [f"{self.prefix}{number:0{self.digits}}" for number in numbers]


def check_choices(frame: pd.DataFrame, kinds: Mapping[str, str]) -> None:
    """Raises TaskError for choices, as the user says, between too many values."""
    for name in [name for name, kind in kinds.items() if kind == "choice" and name in frame]:
        if (count := frame[name].nunique()) > MOST_CHOICES:
            other = (
                "leave it out of columns" if form_of(frame[name]) is None else f"kinds: {{{printable(name)}: number}}"
            )
            what = f"{name!r} has {count:,} different values, and a choice at most {MOST_CHOICES:,}"
            rest = f"kinds: {{{printable(name)}: identifier}} numbers its rows anew, or {other}"
            raise option_error(f"kinds.{name}", f"{what}; {rest}")


def _check(table: Mapping[str, pd.Series], kinds: Mapping[str, str]) -> None:
    """Raises TaskError where a user's `kinds` are not what the table's columns can be."""
    for name, kind in kinds.items():
        if name not in table:
            raise option_error(f"kinds.{name}", f"the table has no such column{suggest(name, table)}")
        one_of(f"kinds.{name}", kind, KINDS)
        if kind == "number" and form_of(table[name]) is None:
            stray = plain(table[name].dropna())[:1]
            raise option_error(f"kinds.{name}", f"{', '.join(map(repr, stray))} is neither a number nor a date")


def _learned(
    table: Mapping[str, pd.Series], forms: Mapping[str, Form | None], kinds: Mapping[str, str]
) -> list[Column]:
    """The columns as choices and numbers; texts that are too many for a choice, in an order that the others give."""
    columns: dict[str, Column] = {}
    for name, values in table.items():
        form = forms.get(name)
        if form is None and name not in kinds:
            _check_numbers(name, values)
        few = values.nunique(dropna=False) <= (FEW if form else FEW_TEXTS)
        kind = kinds.get(name, "choice" if few else "number")
        if kind == "choice" or form:
            columns[name] = Column(name, form, values, kind == "choice")
    features = [middle(column, column.encode(table[name])) for name, column in columns.items()]
    for name in [name for name in table if name not in columns]:
        columns[name] = Column(name, order_of(table[name], features), table[name], is_choice=False)
    return [columns[name] for name in table]


def middle(column: Column, stored: np.ndarray) -> np.ndarray:
    """(N, width) of one column's stored (N, 3): choices one-hot, the number at the middle of its ranks."""
    codes = stored[:, :1] == np.arange(column.choices)
    return np.concatenate([codes, *([ndtri(stored[:, 1:].mean(1, keepdims=True))] if column.ranks else [])], 1)


def _is_identifier(name: str, values: pd.Series) -> bool:
    """Whether all values differ, and they are whole numbers in order or of such a name, or texts and no dates."""
    form = form_of(values)
    if types.is_integer_dtype(values.dtype):
        named = bool(_IDENTIFIER.search(name)) or values.is_monotonic_increasing or values.is_monotonic_decreasing
        return values.is_unique and named and bool(values.notna().all()) and isinstance(form, Plain)
    is_text = not types.is_bool_dtype(values.dtype) and form is None
    return is_text and values.nunique() > max(FEW_TEXTS, len(values) / 2) and not _strays(values)


def _check_numbers(name: str, values: pd.Series) -> None:
    """Raises TaskError for a column of numbers with some texts among them."""
    if strays := _strays(values):
        stray = f"{len(strays)} texts such as {strays[0]!r}"
        rest = "leave these empty where the number is missing, or learn other columns"
        raise option_error("columns", f"{name!r} holds numbers but for {stray}; {rest}")


def _strays(values: pd.Series) -> list[Any]:
    """The texts in a column that holds numbers in nine rows of ten."""
    strays = values[pd.to_numeric(values.astype(object), errors="coerce").isna() & values.notna()]
    return strays.tolist() if len(strays) < len(values) / 10 else []


def _ordered(functions: list[Function]) -> list[Function]:
    """The same, each after those that it needs."""
    named = {function.name: function for function in functions}
    order = TopologicalSorter({function.name: function.sources for function in functions}).static_order()
    return [named[name] for name in order if name in named]


def _common_start(one: str, other: str) -> str:
    return one[: next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(min(one, other)))]
