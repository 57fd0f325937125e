"""`gansearch report` of each kind of folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gansearch import Experiment, train
from gansearch.cli.reports import write_report
from gansearch.store.folder import StudyError


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    experiment = {"name": "x", "task": "ring", "training": {"updates": 150, "batch_size": 32}}
    train(Experiment.model_validate(experiment), out=tmp_path / "t")
    return tmp_path / "t"


def test_of_a_training(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_report([trained], as_json=False, out=None)
    assert "Is it broken, or does it look like that?" in capsys.readouterr().out
    assert (trained / "report.html").exists()
    write_report([trained], as_json=True, out=None)
    assert json.loads(capsys.readouterr().out)["seeds"][0]["seed"] == 20000


def test_a_training_is_not_compared(trained: Path) -> None:
    with pytest.raises(StudyError, match="sweeps alone can be compared"):
        write_report([trained, trained], as_json=False, out=None)
