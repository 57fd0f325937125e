"""Folders of Ray Tune: what their JSON and CSV files say, and that no pickle is opened."""

import json

import pytest

from gansearch.store.folder import StudyError
from gansearch.study.foreign.tune_folder import is_tune, read_tune
from tests.study.foreign.studies import tune_folder


@pytest.fixture
def run(tmp_path):
    return tune_folder(tmp_path / "train_2026", tmp_path / "harmed")


def test_a_run_is_read_without_its_pickles(run, tmp_path):
    assert is_tune(run)
    found = read_tune(str(run), {})
    assert not (tmp_path / "harmed").exists()
    assert (found.name, found.objectives) == ("train_2026", {"fid": True})
    assert [row["fid"] for row in found.rows] == [3.5, 2.5, 1.5, 0.5, 2.5]  # in Tune's order, without the one that runs
    assert [row["status"] for row in found.rows] == ["complete", "failed", "complete", "complete", "pruned"]
    assert found.rows[1]["error"] == "RuntimeError: out of memory"
    first = found.rows[0]
    assert (first["opt/lr"], first["opt/betas"], first["loss"]) == (0.1, "[0.5, 0.9]", "hinge")
    assert (first["verdict"], first["stability"], first["node"]) == ("balanced", 0.5, "10.0.0.1")
    assert (first["ended"] - first["started"]).total_seconds() == 20
    assert "1 trial of it waits or runs, and is left out." in found.remarks
    assert any("?mode=max" in text for text in found.remarks)


def test_without_a_state_what_has_an_error_has_failed_and_the_rest_is_complete(tmp_path):
    run = tune_folder(tmp_path / "run", tmp_path / "harmed", state=False)
    found = read_tune(str(run), {"metric": "fid", "mode": "max"})
    assert [row["status"] for row in found.rows] == ["complete", "failed", "complete", "complete", "complete", "pruned"]
    assert found.objectives == {"fid": False}
    assert not any("?mode" in text for text in found.remarks)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"trial_data": [["{"]]}', '{"trial_data": 3}', "[" * 10_000])
def test_a_state_that_is_broken_is_as_none(run, text):
    for path in run.glob("experiment_state*"):
        path.write_text(text)
    assert len(read_tune(str(run), {}).rows) == 6


def test_several_numbers_have_to_be_chosen_from(tmp_path):
    run = tune_folder(tmp_path / "run", tmp_path / "harmed", metrics=("fid", "is"))
    with pytest.raises(StudyError, match=r"say which number was optimised.*its results have fid, is"):
        read_tune(str(run), {})
    assert read_tune(str(run), {"metric": "is"}).objectives == {"is": True}
    with pytest.raises(StudyError, match=r'no result has a number .fidd.; did you mean "fid"'):
        read_tune(str(run), {"metric": "fidd"})
    with pytest.raises(StudyError, match='mode=maxi is not one of min, max; did you mean "max"'):
        read_tune(str(run), {"metric": "is", "mode": "maxi"})


def test_a_distance_is_what_was_optimised(tmp_path):
    run = tune_folder(tmp_path / "run", tmp_path / "harmed", metrics=("fid", "distance"))
    assert read_tune(str(run), {}).objectives == {"distance": True}


def test_progress_csv_is_read_where_there_is_no_json(run):
    for folder in run.iterdir():
        if folder.is_dir():
            last = json.loads((folder / "result.json").read_text().splitlines()[1])
            columns = ("fid", "timestamp", "time_total_s", "trial_id", "experiment_tag", "stability")
            lines = [",".join(columns), ",".join("9" for _ in columns), ",".join(str(last[name]) for name in columns)]
            (folder / "progress.csv").write_text("\n".join(lines))
            (folder / "result.json").unlink()
    found = read_tune(str(run), {})
    assert [row["fid"] for row in found.rows] == [3.5, 2.5, 1.5, 0.5, 2.5]
    assert found.rows[0]["stability"] == 0.5


def test_links_are_not_followed_and_trials_without_a_result_are_left_out(run, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    for folder in sorted(path for path in run.iterdir() if path.is_dir())[:1]:
        (folder / "result.json").rename(outside / "result.json")
        (folder / "result.json").symlink_to(outside / "result.json")
    (outside / "params.json").write_text("{}")
    (run / "linked").symlink_to(outside)
    assert len(read_tune(str(run), {}).rows) == 4


@pytest.mark.parametrize("content", ["", "\n\n", "[1]\n", "nonsense"])
def test_a_run_without_a_result_is_refused(run, content):
    for folder in run.glob("train_*"):
        (folder / "result.json").write_text(content)
    with pytest.raises(StudyError, match="no trial of this run of Ray Tune"):
        read_tune(str(run), {})


def test_other_folders_are_no_runs(tmp_path, finished):
    assert not is_tune(tmp_path)
    assert not is_tune(tmp_path / "none")
    assert not is_tune(finished.path)
    assert not is_tune(finished.path / "trials")
