"""The quality report of SDMetrics, as a distance between tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from gansearch.gan.readers.datasets import package

if TYPE_CHECKING:
    import pandas as pd

REPORTS = ("sdmetrics.reports.single_table", "sdmetrics", "distance: sdmetrics needs a package")
"""What `package` takes to import the reports."""


def sdmetrics(real: pd.DataFrame, fake: pd.DataFrame) -> dict[str, float]:
    """Returns distance = 1 − SDMetrics' quality score of (N, C) real and made-up rows, and its two parts.

    `column_shapes` is the mean over columns of 1 − the Kolmogorov-Smirnov statistic (numbers) or the total variation
    (others), `column_pair_trends` of the agreement of correlations or contingency tables of pairs, each in [0, 1].
    Raises TaskError without the package.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    reports = package(*REPORTS)
    kinds = {
        name: "numerical" if is_numeric_dtype(values) and not is_bool_dtype(values) else "categorical"
        for name, values in real.items()
    }
    report = reports.QualityReport()
    report.generate(real, fake, {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}, verbose=False)
    scores = dict(zip(*(report.get_properties()[name] for name in ("Property", "Score")), strict=True))
    shapes, trends = (float(scores[name]) for name in ("Column Shapes", "Column Pair Trends"))
    parts = [score for score in (shapes, trends) if math.isfinite(score)]  # a single column has no pairs
    return {"distance": 1 - sum(parts) / len(parts), "column_shapes": shapes, "column_pair_trends": trends}


def frame_of(columns: Sequence[Tensor]) -> pd.DataFrame:
    """Returns (N, 1) numbers and (N, W) one-hot choices as a table of numbers and texts."""
    import pandas as pd

    blocks = [column.numpy() for column in columns]
    return pd.DataFrame({f"{i}": b[:, 0] if b.shape[1] == 1 else b.argmax(1).astype("U") for i, b in enumerate(blocks)})
