"""A table of numbers and categories, learned by the perceptrons of CTGAN."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from gansearch.experiment import suggest
from gansearch.gan import quality
from gansearch.gan.distances.named import distance_told
from gansearch.gan.distances.tables import REPORTS, frame_of, sdmetrics
from gansearch.gan.options import one_of, option_error, positive
from gansearch.gan.readers.datasets import package
from gansearch.gan.task import Task
from gansearch.gan.tasks.conditional_networks import Conditioned
from gansearch.gan.tasks.table_networks import MixedRow, OfRows, Residual, Row, WithColumn
from gansearch.stability.observer import Observation, observe_rows

if TYPE_CHECKING:
    from gansearch.gan.encoding.columns import Column
    from gansearch.gan.encoding.kinds import Rows
    from gansearch.gan.encoding.scores import ScoredRows
    from gansearch.gan.readers.tables import TableFile

_READINGS = ("texts", "pandas")
_EMBEDDED = 64
"""Most numbers that a generator learns for a choice of the condition."""
_TABS = ("\\t", "tab")
"""What people write for one."""


@dataclass(eq=False)
class Table(Task):
    """Rows of a table (CSV, parquet, or `sklearn:wine`), each column learned as what it is: (N, W) samples.

    The networks are CTGAN's (Xu et al. 2019, arXiv 1907.00503, section 4.4), with layers of `width` (256 there) and
    without its conditional vector, but for that of one column with `condition`; its `training.packing` is 10.
    """

    path: str = ""
    columns: Sequence[str] | None = None
    categorical: Sequence[str] = ()
    """Columns of numbers that are choices; the same as their `kinds`."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """By column what it is, where that is not what is found: number, choice or identifier."""
    condition: str = ""
    """A column of choices that the generator is given, and sets in its rows; it is drawn as the data have it."""
    separator: str = ""
    """What stands between the columns of a text; found by default."""
    header: bool | None = None
    """Whether a text's first row holds the names of its columns; found by default."""
    width: int = 128
    latent_dim: int = 64
    encoding: str = "kinds"
    """`scores` is the encoding of results folders of formats 1 and 2."""
    distance: str = "marginals"
    """`sdmetrics` is that package's quality score, of the learned columns."""
    reading: str = "texts"
    """`pandas` is how results folders of formats 1 to 4 read a file."""

    def __post_init__(self) -> None:
        positive(width=self.width, latent_dim=self.latent_dim)
        one_of("encoding", self.encoding, ("kinds", "scores"))
        one_of("reading", self.reading, _READINGS)
        one_of("distance", self.distance, ("marginals", "sdmetrics"))
        if self.distance == "sdmetrics":
            package(*REPORTS)  # so that it is missed before anything is trained
        if self.header not in (None, True, False) or isinstance(self.header, int) != isinstance(self.header, bool):
            raise option_error("header", f"must be true or false, not {self.header!r}")
        for name in ("columns", "categorical"):
            names = getattr(self, name)
            if names is not None and not isinstance(names, list | tuple):
                raise option_error(name, f"must be a list of names, not {names!r}")
        if not isinstance(self.kinds, Mapping):
            raise option_error("kinds", f"must be a mapping of columns to kinds, not {self.kinds!r}")
        if len(self._separator) > 1 or self._separator in ('"', "\n", "\r") or not self._separator.isascii():
            raise option_error("separator", f"must be one character, such as ; or \\t, not {self.separator!r}")

    @property
    def _separator(self) -> str:
        return "\t" if self.separator in _TABS else self.separator

    @property
    def _kinds(self) -> dict[str, str]:
        """The kinds that the user says, by column."""
        choices = [*self.categorical, *([self.condition] if self.condition else [])]
        return {str(name): kind for name, kind in {**dict.fromkeys(choices, "choice"), **self.kinds}.items()}

    @functools.cached_property
    def _file(self) -> TableFile:
        from gansearch.gan.readers import tables  # pandas takes a second to import

        wanted = None if self.columns is None else [str(name) for name in self.columns]
        if self.reading == "texts" and self.encoding == "kinds":
            return tables.read_table(self.path, wanted, self._separator, self.header, self._kinds)
        by_kinds = self.encoding == "kinds"
        return tables.TableFile(tables.read_by_pandas(self.path, wanted, self._separator, by_kinds))

    @functools.cached_property
    def _rows(self) -> Rows | ScoredRows:
        from gansearch.gan.encoding import kinds, scores
        from gansearch.gan.readers import tables

        frame = self._file.frame
        categorical = [str(name) for name in self.categorical]
        if self.condition:
            self._check_condition([str(name) for name in frame.columns])
        tables.check_columns(frame.columns, "categorical", categorical)
        if self.encoding == "scores":
            return scores.ScoredRows(frame, categorical)
        if self.reading == "pandas":
            return kinds.Rows(frame, self._kinds, widest=frame.shape[1])
        kinds.check_choices(frame, self._kinds)
        return kinds.Rows(frame, self._kinds)

    def _check_condition(self, names: Sequence[str]) -> None:
        """Raises TaskError where the condition is no column of choices among the table's columns."""
        if self.condition not in names:
            raise option_error("condition", f"the table has no column {self.condition}{suggest(self.condition, names)}")
        if self._kinds[self.condition] != "choice":
            raise option_error("condition", f"{self.condition} must be a choice, not {self._kinds[self.condition]!r}")
        if self.encoding == "scores":
            raise option_error("condition", "is not for encoding: scores; leave one of the two out")

    @functools.cached_property
    def _given(self) -> tuple[np.ndarray, int, Column]:
        """What the rows choose in the condition's column, the place of its block in a sample, and the column."""
        from gansearch.gan.encoding.kinds import Rows

        assert isinstance(self._rows, Rows)
        found = self._rows.choice(self.condition)
        if found is None:
            raise option_error("condition", f"{self.condition} is the same in all rows")
        return found

    def labels(self) -> Tensor | None:
        """Returns the (N,) numbers of the condition's choices, where there is one."""
        return torch.from_numpy(self._given[0]) if self.condition else None

    def class_names(self) -> list[str]:
        """Returns the choices of the condition, as they are written."""
        values = self._given[2].values if self.condition else []
        return ["a gap" if value is None else str(value) for value in values]

    def real(self) -> Tensor:
        """Returns the stored rows, of which `unpacked` makes samples."""
        return torch.from_numpy(self._rows.stored)

    def unpacked(self, stored: Tensor) -> Tensor:
        """Returns (B, W) samples of stored rows, with ranks of equal numbers drawn at random."""
        return self._rows.unpack(stored)

    def described(self) -> list[str]:
        """Returns what each column is taken for, and the option that changes it; and what the distance is."""
        lines = self._rows.described()
        remedy = ["task_options.kinds: {COLUMN: number, choice or identifier} changes it"] if lines else []
        return [*lines, *remedy, *distance_told(self, self.distance, None)]

    def warnings(self) -> list[str]:
        """Returns what a user should know of how the file is read, and how many rows are there twice."""
        from gansearch.gan.readers.texts import listed

        told, rows = list(self._file.warnings), self._rows
        if rows.replaced:
            named = listed(rows.replaced)
            told.append(f"texts that differ from row to row have new numbers in their place in made-up rows: {named}")
        if rows.is_wide:
            told.append(
                f"the table has {self._file.frame.shape[1]:,} columns; none is looked for that others determine"
            )
        if rows.copies:
            told.append(f"{rows.copies:,} of {len(rows.stored):,} rows are copies of others: both learned and held out")
        return told

    def generator(self) -> nn.Module:
        """Returns a network (B, latent_dim), and (B,) choices of the condition if any -> (B, W)."""
        if not self.condition:
            return self._generator(self.latent_dim)
        _, first, column = self._given
        learned = min(column.choices, _EMBEDDED)
        network = Conditioned(self._generator(self.latent_dim + learned), column.choices, learned)
        return WithColumn(network, first, column.choices)

    def _generator(self, inputs: int) -> nn.Module:
        rows = self._rows
        return nn.Sequential(
            Residual(inputs, self.width),
            Residual(inputs + self.width, self.width),
            nn.Linear(inputs + 2 * self.width, sum(rows.widths)),
            Row(rows.widths) if self.encoding == "scores" else MixedRow(rows.parts),
        )

    def discriminator(self, packing: int = 1) -> nn.Module:
        """Returns a network (B, W · packing) -> (B, 1); a condition is a column that it reads in the rows."""
        network = nn.Sequential(
            nn.Linear(sum(self._rows.widths) * packing, self.width),
            nn.LeakyReLU(0.2),
            nn.Linear(self.width, self.width),
            nn.LeakyReLU(0.2),
            nn.Linear(self.width, 1),
        )
        return OfRows(network) if self.condition else network

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Returns distance = `marginals` + `pairs` of the rows as they are exported, or SDMetrics', and two_sample_auc.

        `marginals` is the mean over the columns of the Wasserstein distance (numbers, in standard deviations of normal
        scores) or the total variation (categories), `pairs` the mean absolute difference of the correlations between
        columns, and `two_sample_auc` a random forest's, real against fake: 0.5 cannot be told apart.
        """
        encoded = [self._rows.encode(self._rows.decode(samples.numpy())) for samples in (real, fake)]
        auc = {"two_sample_auc": quality.two_sample_auc(encoded[0], encoded[1])}
        r, f = (torch.from_numpy(rows).split(self._blocks, 1) for rows in encoded)
        if self.distance == "sdmetrics":
            return {**sdmetrics(frame_of(r), frame_of(f)), **auc}
        marginals = [quality.marginal_distance(*pair) for pair in zip(r, f, strict=True)]
        pairs = quality.correlation_distance(r, f)
        return {
            "distance": sum(marginals) / len(marginals) + pairs,
            "marginals": sum(marginals) / len(marginals),
            "pairs": pairs,
            **auc,
        }

    def observe(self, real: Tensor, fake: Tensor) -> Observation:
        """Returns what boosted trees tell of the rows as they are exported."""
        from gansearch.gan.readers.tables import as_numbers

        decoded = [self._rows.decode(samples.numpy()) for samples in (real, fake)]
        real_rows, fake_rows = as_numbers(*decoded)
        return observe_rows(real_rows, fake_rows, list(decoded[0].columns))

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        """Describes (N, W) samples as a table."""
        frame = self._rows.write(samples)
        return {"kind": "table", "columns": frame.columns.tolist(), "rows": frame.to_numpy(object).tolist()}

    def sample_files(self, samples: np.ndarray) -> dict[str, bytes]:
        """Returns (N, W) samples as rows in a file such as the table's own."""
        return self._file.files(self._rows.write(samples))

    @property
    def _blocks(self) -> list[int]:
        """The widths of what is compared by itself: each column's choices, and its number."""
        return [width for choices, number in self._rows.parts for width in (choices, int(number)) if width]
