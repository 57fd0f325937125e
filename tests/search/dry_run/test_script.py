"""The dry run of scripts, which are run for real."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gansearch.experiment import Experiment
from gansearch.gan import TaskError
from gansearch.scripts.run import trainer
from gansearch.scripts.task import Script
from gansearch.search.dry_run.estimate import Measured
from gansearch.search.dry_run.script import try_script
from tests.scripts.conftest import least

LINES = """
import random, sys, time
random.seed({seed})
for i in range(1, 9):
    d, g = random.random(), random.random()
    print(f"step {{i}} d_loss {{1 + d:.4f}} g_loss {{1 + g:.4f}} G_L1 {{g * 9:.4f}}")
    time.sleep(0.05)
"""


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Measured]:
    monkeypatch.setattr(trainer, "prepare", least)
    monkeypatch.setattr(trainer, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(trainer, "LOOK_SECONDS", 0.05)

    def run(code: str, distance: Any = None, **fields: Any) -> Measured:
        (tmp_path / "train.py").write_text(code)
        task = {"command": [sys.executable, str(tmp_path / "train.py"), "{seed}"], "distance": distance}
        given: dict[str, Any] = {"training": {"updates": 80}, "task": task, **fields}
        experiment = Experiment(name="a", **given)
        assert not isinstance(experiment.task, str)
        return try_script(experiment, Script(experiment.task), experiment.training, False)

    return run


def test_what_was_read_is_said_and_timed(tried: Callable[..., Measured]) -> None:
    measured = tried(LINES.format(seed="int(sys.argv[1])"))
    assert measured.tried[0].startswith("script: ")
    assert "of stdout in" in measured.tried[0]
    assert "time is in steps" in measured.tried[0]
    assert any("d_loss = D's loss" in line for line in measured.tried)
    assert 0.02 < measured.costs[0].update_d < 3
    assert measured.costs[0].trial == pytest.approx(80 * measured.costs[0].update_d)
    assert "none is called the best" in measured.remarks[-1]


def test_a_seed_that_changes_nothing_refuses_further_ones(tried: Callable[..., Measured]) -> None:
    code = LINES.format(seed=0)
    with pytest.raises(TaskError, match=r"the same \d rows under two seeds.*or write confirm: null"):
        tried(code)
    with pytest.raises(TaskError, match="replicas: 1 and confirm: null"):
        tried(code, replicas=2)
    assert tried(code, confirm=None).costs


def test_a_script_that_fails_is_an_error_with_its_last_lines(tried: Callable[..., Measured]) -> None:
    with pytest.raises(TaskError, match=r"exit status 1; its last lines:(.|\n)*ValueError: no data"):
        tried("raise ValueError('no data')")


def test_one_of_gs_own_losses_is_a_distance_with_a_remark(tried: Callable[..., Measured]) -> None:
    remarks = tried(LINES.format(seed="int(sys.argv[1])"), distance="G_L1").remarks
    assert "one of G's own losses" in remarks[0]


def test_a_distance_that_is_not_there_yet_is_remarked_on(tried: Callable[..., Measured]) -> None:
    remarks = tried(LINES.format(seed="int(sys.argv[1])"), distance="fid").remarks
    assert remarks[0].startswith("task.distance: no column is called 'fid'")
