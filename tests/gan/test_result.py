import dataclasses

import numpy as np
import pytest
import torch

from gansearch.gan import Result
from gansearch.stability import StabilityMonitor

REST = {"seed": 1, "distance": 0.5, "quality": {}, "train_seconds": 1.0, "samples": np.zeros((2, 3))}


def report(value=0.0):
    monitor = StabilityMonitor()
    monitor.update(torch.linspace(-1, 1, 50) + value, torch.linspace(-1, 1, 50))
    return monitor.report()


@pytest.mark.parametrize(
    ("value", "stopped", "status"), [(0.4, "", "complete"), (0.4, "it is behind", "pruned"), (1e5, "", "failed")]
)
def test_the_report_and_the_reason_to_stop_make_the_status(value, stopped, status):
    judged = report(value)
    result = Result.judged(judged, stopped=stopped, updates=1_000, **REST)
    assert (result.status, result.verdict, result.stability) == (status, judged.verdict, judged.stability)
    assert result.sentence.startswith("Stopped after 1,000 updates: it is behind. ") == bool(stopped)
    assert result.error == (f"diverged: {judged.sentence}" if status == "failed" else "")


def test_a_result_says_where_late_trouble_began():
    late = dataclasses.replace(report(), late_since=940.0)
    assert Result.judged(late, stopped="", updates=1_000, **REST).without_samples().late_since == 940


def test_records_hold_a_result_without_its_samples():
    result = Result.judged(report(), stopped="", updates=10, **REST)
    plain = dataclasses.asdict(result.without_samples())
    assert "samples" not in plain
    assert plain == {name: value for name, value in dataclasses.asdict(result).items() if name != "samples"}
