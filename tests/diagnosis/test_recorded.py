"""The rules on the recorded runs, by the distance of their samples."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gansearch.diagnosis.rules.judge import judge
from tests.diagnosis.logs import log_of

REFERENCE = Path(__file__).parents[2] / "results/reference"


@pytest.fixture(scope="module")
def flagged():
    """By rank among the runs of its task, whether something is found in the losses of a run's probes."""
    runs, rows = (pd.read_parquet(REFERENCE / "validity" / f"{name}.parquet") for name in ("runs", "rows"))
    runs = runs[runs.stage == 1.0].copy()
    runs["rank"] = runs.distance.fillna(np.inf).groupby(runs.task, observed=True).rank(pct=True)
    rows["loss"] = (rows.loss_d / rows.probes).where(rows.invalid == 0)
    probes = rows.sort_values("step").groupby(["task", "index", "seed"], observed=True)
    losses = {key: table.loss for key, table in probes}
    found = []
    for run in runs[runs.loss != "wgan"].to_dict("records"):
        findings, _ = judge(log_of(d_loss=losses[run["task"], run["index"], run["seed"]]))
        found.append((run["rank"], any(finding.is_verdict for finding in findings)))
    return pd.DataFrame(found, columns=["rank", "flagged"])


def test_of_the_best_quarter_none_is_flagged(flagged):
    best = flagged[flagged["rank"] <= 0.25].flagged
    assert len(best) == 111
    assert best.sum() == 0


def test_of_the_worst_quarter_many_are_caught(flagged):
    worst = flagged[flagged["rank"] > 0.75].flagged
    assert len(worst) == 88
    assert worst.sum() >= 33
