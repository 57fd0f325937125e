"""Results folders of earlier versions: each still opens, reports, exports, trains and goes on, with its numbers."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from gansearch import Experiment, load_study, sweep, train
from gansearch.stability.verdict import SCORE_VERSION
from gansearch.store.record import GPU

KEPT = Path(__file__).parent
SWEEPS = sorted(path.parent for path in KEPT.glob("v*/*/study.journal"))
TRAININGS = sorted({path.parents[1] for path in KEPT.glob("v*/*/seed-*/checkpoint.pt")})


def named(path):
    return f"{path.parent.name}-{path.name}"


def copy_of(path, tmp_path):
    return Path(shutil.copytree(path, tmp_path / path.name))


def same(found, kept):
    """Raises AssertionError where two tables differ in more than the kind of an empty cell."""
    found, kept = (table.astype(object).where(table.notna(), None) for table in (found, kept))
    pd.testing.assert_frame_equal(found, kept)


@pytest.mark.parametrize("kept", SWEEPS, ids=named)
def test_a_folder_opens_with_its_numbers(kept, tmp_path):
    table = pd.read_parquet(kept / "trials.parquet")
    columns = list(table.columns)
    same(load_study(kept).trials[columns], table)
    folder = copy_of(kept, tmp_path)
    (folder / "trials.parquet").unlink()  # it is made of the records
    (folder / "curves.parquet").unlink()
    study = load_study(folder)
    assert set(study.trials.columns) == {*columns, *GPU}
    assert study.trials[list(GPU)].isna().all(axis=None), "which nobody counted then"
    same(study.trials[columns].head(len(table)), table)
    curves = pd.read_parquet(kept / "curves.parquet")
    same(study.curves[list(curves.columns)].sort_values(["number", "seed", "update"], ignore_index=True), curves)


@pytest.mark.parametrize("kept", SWEEPS, ids=named)
def test_a_folder_reports_exports_and_trains(kept, tmp_path):
    folder = copy_of(kept, tmp_path)
    study = load_study(folder)
    assert (
        study.score_remark == f"judged by version 1 of the stability score; this gansearch has version {SCORE_VERSION}"
    )
    page = study.report().read_text()
    assert "</html>" in page
    assert study.score_remark in page
    if not (folder / "best.yaml").exists():  # it was cut off before its end
        return
    written = tmp_path / "best.yaml"
    study.export(written)
    exported, before = (yaml.safe_load(path.read_text()) for path in (written, kept / "best.yaml"))
    if before["task"] == "table":  # what it is now has to be said
        assert exported["task_options"].pop("encoding") == "scores"
    assert exported == before
    assert len(train(Experiment.load(written)).seeds) == 1


@pytest.mark.parametrize("kept", SWEEPS, ids=named)
def test_a_folder_goes_on_and_keeps_its_trials(kept, tmp_path, ray_session):
    folder = copy_of(kept, tmp_path)
    before = pd.read_parquet(folder / "trials.parquet")
    whole = before["number"].tolist() == list(range(len(before))) and (folder / "best.yaml").exists()
    experiment = Experiment.load(folder / "experiment.yaml")
    if whole:  # one more
        experiment = experiment.model_copy(update={"trials": experiment.trials + 1})
    after = sweep(experiment, folder, resume=True).trials
    assert len(after) == experiment.trials
    same(after.head(len(before))[list(before.columns)], before)


@pytest.mark.parametrize("kept", TRAININGS, ids=named)
def test_a_training_is_read_and_repeated(kept, tmp_path):
    folder = copy_of(kept, tmp_path)
    experiment = Experiment.load(folder / "experiment.yaml")
    results = [json.loads(path.read_text()) for path in sorted(folder.glob("seed-*/result.json"))]
    numbers = [(result["stability"], result["distance"]) for result in results]
    resumed = train(experiment, seeds=2, out=folder, resume=True)
    assert [(seed.stability, seed.distance) for seed in resumed.seeds] == numbers
    anew = train(experiment, seeds=2)
    for seed, (stability, distance) in zip(anew.seeds, numbers, strict=True):
        assert (seed.stability, seed.distance) == pytest.approx((stability, distance), rel=1e-5)
