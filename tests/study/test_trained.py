"""The page of a training."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from gansearch import Experiment, train
from gansearch.store.folder import StudyError
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.report import answers
from gansearch.study.trained import Trained, is_training
from tests.study.report.html_page import Page

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "t"
    experiment = {"name": "<b>x", "task": "ring", "training": {"updates": 300, "lr": 2e-3, "batch_size": 32}}
    train(Experiment.model_validate(experiment), seeds=2, out=path)
    return path


def test_the_page_answers_five_questions_and_shows_each_seed(folder: Path) -> None:
    trained = Trained(folder)
    assert [one.question for one in trained.answers()] == [
        *(answers.BROKEN, answers.WHEN, answers.CHANGE, answers.HOLDS, answers.MEMORY)
    ]
    text = trained.report().read_text()
    words, charts = Page(text).words(), Page(text).charts()
    assert "seed" in words
    assert "built-in method" not in words
    assert "<b>x" not in text.split("<script")[0]
    assert text.count('<img src="data:image/png;base64,') == 2 + 7
    assert "Samples of seed 20000 after 0 updates, 0% of the training" in text
    assert "Samples of seed 20000 after 300 updates, 100% of the training" in text
    best = json.loads((folder / "seed-20000/result.json").read_text())["best"]
    assert f"{best['distance']:.4g}" in words
    # The curves of the seeds, together and each by itself.
    key = {
        name: [label for label, *_ in figure["layout"]["meta"]["key"]]
        for name, figure in charts.items()
        if "bands" in name
    }
    assert key == {"bands": ["all seeds · 2 runs"], "bands-1": ["seed 20000 · 1 run", "seed 20001 · 1 run"]}


def test_the_summary_is_that_of_train_with_the_nearest_moment(folder: Path) -> None:
    found = Trained(folder).summary()
    assert [seed["seed"] for seed in found["seeds"]] == [20000, 20001]
    assert set(found["seeds"][0]) == {"seed", "stability", "verdict", "distance", "quality", "best"}
    assert found["distance"] is not None


def test_a_training_of_an_earlier_version_has_a_page_too(tmp_path: Path) -> None:
    kept = next(path.parents[1] for path in ROOT.glob("tests/folders/v*/*/seed-*/result.json"))
    old = Path(shutil.copytree(kept, tmp_path / "old"))
    assert Trained(old).report().exists()
    assert Trained(old).answers()[-1].short == "Not recorded"


def test_seeds_that_have_not_ended_or_are_broken_are_left_out(folder: Path, tmp_path: Path) -> None:
    part = Path(shutil.copytree(folder, tmp_path / "part"))
    (part / "seed-20001/result.json").unlink()
    assert [seed.seed for seed in Trained(part).seeds] == [20000]
    (part / "seed-20000/result.json").write_text("{")
    assert Trained(part).answers() == []
    with pytest.raises(EmptyFigureError):
        Trained(part).plot_bands()
    assert "No seed has ended yet" in Trained(part).report().read_text()


def test_a_seed_whose_verdict_is_not_known_is_healthy(folder: Path) -> None:
    trained = Trained(folder)
    trained.seeds = [replace(seed, verdict="unknown") for seed in trained.seeds]
    assert "2 of 2 seeds healthy" in Page(trained.report().read_text()).words()


def test_other_folders_are_no_trainings(folder: Path, tmp_path: Path) -> None:
    assert is_training(folder)
    assert not is_training(tmp_path)
    with pytest.raises(StudyError):
        Trained(tmp_path)


@pytest.mark.parametrize("curves", [{"update": ["a"], "distance": ["far"]}, {"update": [[1.0]]}, {"other": [1]}])
def test_curves_and_moments_that_are_none_break_no_page(folder: Path, tmp_path: Path, curves: dict[str, list]) -> None:
    part = Path(shutil.copytree(folder, tmp_path / "part"))
    pd.DataFrame(curves).to_parquet(part / "seed-20000/curves.parquet")
    result = part / "seed-20001/result.json"
    result.write_text(json.dumps(json.loads(result.read_text()) | {"best": {"update": 3}}))
    assert "Seed 20001" in Page(Trained(part).report().read_text()).words()
