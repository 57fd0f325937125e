"""A results folder opened: finished, half written, broken, and not ours."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from gansearch.experiment import Experiment
from gansearch.store.confirmation import FreshSeed, write_confirmation
from gansearch.store.folder import Folder, StudyError
from gansearch.store.record import trial_columns
from gansearch.store.trial_files import CURVE_COLUMNS
from gansearch.study.study import load_study
from tests.synthetic import RAISED, experiment, write_study


def test_the_summary_is_the_contract_s_object_and_agrees_with_the_tables(finished: Folder) -> None:
    study = load_study(finished.path)
    found = json.loads(json.dumps(study.summary(), allow_nan=False))
    assert set(found) == {
        "trials",
        "verdicts",
        "best",
        "default",
        "importance",
        "wall_seconds",
        "train_seconds",
        "slots",
    }
    table = pd.read_parquet(finished.trials)
    assert found["trials"]["total"] == len(table) == 40
    assert sum(found["trials"][name] for name in ("complete", "pruned", "failed")) == 40
    assert found["verdicts"] == table["verdict"].value_counts().to_dict()
    assert found["train_seconds"] == pytest.approx(table["train_seconds"].sum())
    assert (found["slots"], found["wall_seconds"]) == (2, 164)
    best, row = found["best"], table.set_index("number").loc[found["best"]["number"]]
    assert (best["stability"], best["distance"]) == (row["stability"], row["distance"])
    assert best["params"]["lr_ratio"] == row["lr_ratio"]
    assert best["params"]["r1_gamma"] == row["r1_gamma"]
    assert best["confirmed"]["healthy"] == len(best["confirmed"]["seeds"]) == 5
    low, high = best["confirmed"]["interval"]
    assert low < best["confirmed"]["distance"] < high
    assert set(found["importance"]) == {"stability", "distance"}
    default = json.loads(finished.default.read_text())["seeds"]
    assert best["confirmed"]["seeds"] == [10_000 + i for i in range(5)]
    assert found["default"]["seeds"] == best["confirmed"]["seeds"][:3]
    assert found["default"]["distance"] == statistics.median(seed["distance"] for seed in default)
    assert found["default"]["healthy"] == sum(seed["verdict"] == "balanced" for seed in default)


def test_the_best_is_exported_as_a_file_that_loads(finished: Folder, tmp_path: Path) -> None:
    study = load_study(finished.path)
    text = study.export(tmp_path / "best.yaml")
    assert (tmp_path / "best.yaml").read_text() == text
    assert study.best is not None
    loaded = Experiment.load(tmp_path / "best.yaml")
    assert loaded.training.lr_d == study.best.params["lr_d"]
    assert loaded.training.r1_gamma == study.best.params["r1_gamma"]
    with pytest.raises(StudyError, match="toml"):
        study.export(format="toml")
    with pytest.raises(StudyError, match="cannot be written"):
        study.export(tmp_path / "nowhere" / "best.yaml")


def test_where_nothing_is_healthy_the_message_names_the_closest_trial_and_what_to_change(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "s", trials=6, only="oscillating").path)
    found = study.summary()
    assert found["best"] is None
    assert set(found["closest"]) == {"number", "params", "stability", "distance", "confirmed"}
    with pytest.raises(StudyError, match=rf"trial {found['closest']['number']} came closest.*Lower lr"):
        study.export(tmp_path / "best.yaml")
    assert not (tmp_path / "best.yaml").exists()
    assert Experiment.parse(json.loads(study.export(format="json", anyway=True))).training.lr_d


def test_everything_failed(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "s", trials=3, only="diverged").path)
    found = json.loads(json.dumps(study.summary(), allow_nan=False))
    assert found["trials"] == {"total": 3, "complete": 0, "pruned": 0, "failed": 3}
    assert found["importance"] == {}
    assert found["closest"]["distance"] is None
    with pytest.raises(StudyError, match="Lower lr"):
        study.export()


def test_a_trial_that_died_without_a_verdict(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "s", trials=1, error="RuntimeError: boom\nat line 3").path)
    assert study.summary()["verdicts"] == {}
    with pytest.raises(StudyError, match=r"boom$"):
        study.export()


def test_where_every_trial_raised_nothing_came_closest(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "s", trials=3, error=RAISED, failing=3).path)
    found = study.summary()
    assert (found["closest"], found["error"]) == (None, "RuntimeError: the judge is not at home")
    for anyway in (False, True):
        with pytest.raises(
            StudyError, match=r"every trial failed .*; trial 0: RuntimeError: the judge is not at home$"
        ):
            study.export(anyway=anyway)
    with pytest.raises(StudyError, match="no trial has a verdict"):
        study.plot_curves()
    assert "the judge is not at home" in study._repr_html_()
    # One that has a verdict came closest, however badly it ended.
    other = load_study(write_study(tmp_path / "other", trials=3, only="diverged", error=RAISED, failing=2).path)
    assert other.failure == ""
    assert other.closest is not None
    assert other.closest.number == 2


def test_a_study_and_a_comparison_have_a_one_line_repr(finished: Folder, tmp_path: Path) -> None:
    study = load_study(finished.path)
    assert study.best is not None
    told = f"digits, 40 trials, {study.verdicts['balanced']} balanced, best-balanced trial {study.best.number}"
    assert repr(study) == f"Study({str(finished.path)!r}): {told}"
    none = load_study(write_study(tmp_path / "one", trials=1, name="one", only="oscillating").path)
    assert repr(none).endswith("one, 1 trial, 0 balanced, nothing healthy")
    assert repr(study.compare(none)) == "Comparison of digits, one, with its table and its figure"
    none.folder.trials.write_text("not parquet")
    assert repr(load_study(none.folder.path)).endswith("its tables cannot be read")


def test_the_time_on_fresh_seeds_is_known_where_its_runs_say_so(folder: Folder) -> None:
    study = load_study(folder.path)
    runs = [seed for group in study.groups for seed in group.seeds]
    assert study.fresh_seconds == len(runs) * 8 / 2 == 11 * 8 / 2  # a race and the default settings, on two slots
    seeds = [{"seed": 1, "verdict": "balanced", "stability": 0.9, "distance": 1.0}]
    folder.default.write_text(json.dumps({"seeds": seeds}))  # somebody's own
    assert load_study(folder.path).fresh_seconds == (len(runs) - 3) * 8 / 2
    folder.confirmation.unlink()
    assert load_study(folder.path).fresh_seconds is None


def test_a_sweep_that_has_just_begun_is_a_study_without_trials(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "s")
    folder.create(experiment())
    folder.journal.touch()
    study = load_study(folder.path)
    assert list(study.trials.columns) == trial_columns(study.experiment.search)
    assert list(study.curves.columns) == list(CURVE_COLUMNS)
    found = json.loads(json.dumps(study.summary(), allow_nan=False))
    assert (found["trials"]["total"], found["best"], found["closest"]) == (0, None, None)
    with pytest.raises(StudyError, match="no trial has ended"):
        study.export(anyway=True)


def test_a_sweep_without_any_trial_writes_tables_that_open(tmp_path: Path) -> None:
    assert load_study(write_study(tmp_path / "s", trials=0).path).summary()["trials"]["total"] == 0


def test_records_that_are_not_in_the_tables_yet_are_read_too(folder: Folder) -> None:
    whole = load_study(folder.path)
    trials, curves = whole.trials, whole.curves
    trials[trials["number"] < 30].to_parquet(folder.trials, index=False)
    curves[curves["number"] < 30].to_parquet(folder.curves, index=False)
    half = load_study(folder.path)
    pd.testing.assert_frame_equal(half.trials, trials, check_dtype=False)
    pd.testing.assert_frame_equal(half.curves, curves, check_dtype=False)
    folder.trials.unlink()
    folder.curves.unlink()
    none = load_study(folder.path)
    pd.testing.assert_frame_equal(none.trials, trials, check_dtype=False)
    assert none.best == whole.best


def test_missing_confirmation_and_run_leave_the_trials_own_numbers(folder: Folder) -> None:
    folder.confirmation.unlink()
    folder.run.write_text("{half")
    found = load_study(folder.path).summary()
    assert found["best"]["confirmed"] is None
    assert found["slots"] is None
    assert found["wall_seconds"] == 39 * 4 + 8


@pytest.mark.parametrize("what", ["missing", "file", "empty", "broken"])
def test_a_folder_that_is_no_results_folder_is_refused_in_one_line(what: str, tmp_path: Path) -> None:
    path = tmp_path / "s"
    if what == "file":
        path.touch()
    elif what != "missing":
        path.mkdir()
    if what == "broken":
        (path / "experiment.yaml").write_text("name: [")
        (path / "study.journal").touch()
    with pytest.raises(StudyError) as raised:
        load_study(path)
    assert str(path) in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_broken_table_is_reported_in_one_line(folder: Folder) -> None:
    folder.trials.write_text("not parquet")
    with pytest.raises(StudyError, match="cannot be read"):
        _ = load_study(folder.path).trials


def test_the_card_escapes_the_name(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "s", trials=2, name="<script>alert(1)</script>").path)
    card = study._repr_html_()
    assert "<script>" not in card
    assert "&lt;script&gt;" in card


def test_opening_a_study_does_not_import_ray(finished: Folder) -> None:
    code = f"""
import sys
from gansearch.study import study
from gansearch.study.report import report
from gansearch.search.callbacks import tensorboard
study.load_study({str(finished.path)!r}).trials
assert "ray" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_candidates_that_are_balanced_on_every_seed_come_before_the_others_each_by_distance(folder: Folder) -> None:
    chosen = load_study(folder.path).best
    assert chosen is not None
    distances = {
        chosen.number: (0.1, "balanced"),
        100: (0.1, "oscillating"),
        101: (0.3, "balanced"),
        102: (0.2, "balanced"),
    }
    seeds = [
        FreshSeed(
            number=number, seed=10_000 + i, verdict=verdict if i == 0 else "balanced", stability=0.9, distance=value
        )
        for number, (value, verdict) in distances.items()
        for i in range(5)
    ]
    write_confirmation(folder, seeds)
    trials = pd.read_parquet(folder.trials)
    others = [trials[trials["number"] == chosen.number].assign(number=number) for number in (100, 101, 102)]
    pd.concat([trials, *others]).to_parquet(folder.trials, index=False)
    study = load_study(folder.path)
    assert study.best is not None
    assert study.best.number == chosen.number
    assert [group.number for group in study.groups] == [chosen.number, 102, 101, 100, None]
