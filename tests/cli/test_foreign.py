"""`gansearch report` of an Optuna study and of a folder of Ray Tune."""

import json

import pytest
from typer.testing import CliRunner

from gansearch.cli.main import app
from tests.study.foreign.studies import filled, journal, judged, tune_folder


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A study with the monitor's attributes."""
    path = tmp_path_factory.mktemp("watched") / "study.log"
    filled(journal(path), train=judged, trials=30)
    return path


def test_the_command_prints_the_best_trial_and_writes_the_page_here(watched, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["report", str(watched)])
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith("Optuna study celeba: 30 trials (5 pruned, 1 failed)")
    assert "best: trial " in shown.output
    assert (tmp_path / "celeba-report.html").is_file()
    data = json.loads(CliRunner().invoke(app, ["report", str(watched), "--json"]).stdout)
    assert (data["kind"], data["objectives"]) == ("Optuna study", {"value": "min"})
    assert data["best"]["verdict"] == "balanced"
    assert [path.name for path in tmp_path.iterdir()] == ["celeba-report.html"]


def test_a_run_of_tune_is_reported(tmp_path, monkeypatch):
    run = tune_folder(tmp_path / "mine", tmp_path / "harmed")
    before = sorted(run.rglob("*"))
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["report", f"{run}?metric=fid&mode=min"])
    assert shown.exit_code == 0, shown.output
    assert "run of Ray Tune mine: 5 trials (1 pruned, 1 failed)" in shown.output
    assert "best: trial 2, fid 1.5" in shown.output  # trial 3 is nearer, and collapsed
    assert "1 failed: RuntimeError: out of memory" in shown.output
    assert "RuntimeError: out of memory" in (tmp_path / "mine-report.html").read_text()
    assert sorted(run.rglob("*")) == before
    assert not (tmp_path / "harmed").exists()


def test_mistakes_are_sentences_and_other_commands_take_sweeps_alone(watched, finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words, part in [
        (["report", str(watched), str(finished.path)], "report it by itself"),
        (["report", f"{watched}?study=celba"], 'did you mean "celeba"'),
        (["export", str(watched)], "no such results folder"),
        (["status", str(watched)], "no such results folder"),
        (["report", "nothing.db"], "no such results folder"),
    ]:
        shown = CliRunner().invoke(app, words)
        assert shown.exit_code == 2, shown.output
        assert part in shown.stderr
    assert list(tmp_path.iterdir()) == []
