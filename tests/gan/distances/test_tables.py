"""SDMetrics' score, with the package itself where it is installed."""

import sys
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch

from gansearch.gan import load_task
from gansearch.gan.distances.tables import REPORTS, frame_of, sdmetrics
from gansearch.gan.task import TaskError


class QualityReport:
    """As SDMetrics' is called."""

    trends = 0.5

    def generate(self, real, fake, metadata, verbose):
        assert not verbose
        self.columns = {name: entry["sdtype"] for name, entry in metadata["columns"].items()}
        assert list(real) == list(fake) == list(self.columns)

    def get_properties(self):
        return pd.DataFrame({"Property": ["Column Shapes", "Column Pair Trends"], "Score": [0.9, self.trends]})


@pytest.fixture
def stand_in(monkeypatch):
    module = ModuleType(REPORTS[0])
    module.QualityReport = QualityReport
    for name in ("sdmetrics", "sdmetrics.reports"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, REPORTS[0], module)


def test_the_distance_is_what_the_score_lacks(stand_in, monkeypatch):
    table = pd.DataFrame({"size": [1.5, 2.5], "colour": ["red", "blue"], "sold": [True, False]})
    assert sdmetrics(table, table) == {
        "distance": pytest.approx(0.3),
        "column_shapes": 0.9,
        "column_pair_trends": 0.5,
    }
    monkeypatch.setattr(QualityReport, "trends", float("nan"))  # as for a single column
    assert sdmetrics(table, table)["distance"] == pytest.approx(0.1)


def test_samples_become_numbers_and_texts():
    frame = frame_of([torch.tensor([[0.5], [-1.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])])
    assert frame.dtypes["0"].kind == "f"
    assert frame["1"].tolist() == ["1", "0"]


def test_the_package_finds_what_differs(tmp_path):
    pytest.importorskip("sdmetrics", reason="pip install 'gansearch[sdmetrics]'")
    random = np.random.default_rng(0)
    size = random.normal(size=1000)
    table = pd.DataFrame(
        {"size": size, "weight": 2 * size + random.normal(size=1000), "kind": random.choice(["a", "b"], 1000)}
    )
    same, shifted = sdmetrics(table[::2], table[1::2]), sdmetrics(table, table.assign(size=size + 3))
    apart = sdmetrics(table, table.assign(weight=random.permutation(table["weight"])))
    assert same["distance"] < 0.1 < shifted["distance"]
    assert apart["column_shapes"] == pytest.approx(1)
    assert apart["column_pair_trends"] < same["column_pair_trends"]
    table.to_csv(tmp_path / "table.csv", index=False)
    task = load_task("table", {"path": str(tmp_path / "table.csv"), "distance": "sdmetrics"})
    real = task.unpacked(task.real())
    quality = task.quality(real[::2], real[1::2])
    assert set(quality) == {"distance", "column_shapes", "column_pair_trends", "two_sample_auc"}
    assert 0 < quality["distance"] < 0.1


def test_without_the_package_the_task_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, REPORTS[0], None)
    with pytest.raises(TaskError, match=r"distance: sdmetrics needs a package .*pip install 'gansearch\[sdmetrics\]'"):
        load_task("table", {"path": "sklearn:wine", "distance": "sdmetrics"})
