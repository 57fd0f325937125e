"""The dry run of a user's training loop: what it measures, and what it says that a sweep will lack."""

import pytest

from gansearch.gan import TaskError
from gansearch.search.dry_run.dry_run import dry_run
from tests.search.worker.test_loop_trials import SEARCH, loop


def test_a_loop_is_tried_out(tmp_path):
    estimate = dry_run(loop())
    assert any("reports at 4, 8, 12, 16" in line for line in estimate.lines())
    (unread,) = estimate.warnings
    assert unread.startswith("train(trial) has not read layers from trial.params, which the search is about")
    assert estimate.summary()["data"] is None
    path = tmp_path / "silent.py"
    path.write_text("def train(trial):\n    for step in range(5): trial.report()\n")
    with pytest.raises(TaskError, match=r"without a call of trial\.monitor\.update"):
        dry_run(loop(task=f"{path}:train"))
    path = tmp_path / "careless.py"
    path.write_text(
        "import torch\n\n\ndef train(trial):\n    for step in range(5):\n"
        "        trial.monitor.update(torch.randn(9), torch.randn(9))\n        trial.report()\n"
    )
    warnings = " ".join(dry_run(loop(task=f"{path}:train", training={"updates": 5})).warnings)
    for part in ("never asks trial.should_stop()", "reports no distance=", "fewer than 10 reports"):
        assert part in warnings
    path = tmp_path / "first.py"
    path.write_text(
        "import torch\n\n\ndef train(trial):\n    trial.monitor.update(torch.randn(9), torch.randn(9))\n"
        "    trial.report(step=0)\n"
    )
    with pytest.raises(TaskError, match="reported nothing after step 0; call"):
        dry_run(loop(task=f"{path}:train"))
    with pytest.raises(TaskError, match=r"(?s)raised when it was trained.*loops.py.*no such luck"):
        dry_run(loop(search={**SEARCH, "kind": "raise", "layers": 1}))
