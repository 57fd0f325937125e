"""A sweep as a job of a real cluster: sent, left alone, followed, and brought back through the dashboard."""

import os
from pathlib import Path

import pytest
from ray.job_submission import JobDetails
from typer.testing import CliRunner

from gansearch.cli.main import app
from gansearch.experiment import Experiment
from gansearch.search.errors import Detached, JobFailed, SweepError
from gansearch.search.jobs import submit as submitting
from gansearch.search.jobs.client import NoAnswer
from gansearch.search.jobs.fetch import fetch, find
from gansearch.search.jobs.submit import Job, follow, submit, submitted
from gansearch.store.archive import is_result, pack, unpack
from gansearch.store.folder import StudyError
from gansearch.store.trial_files import read_record
from gansearch.study.study import load_study
from tests.search import heads


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_a_job_runs_without_its_submitter_and_its_results_are_fetched(mine, tmp_path, monkeypatch, pretend):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # is about another cluster
    home = tmp_path / "home"
    home.mkdir()
    experiment = Experiment.load("experiment.yaml")
    with heads.head(home, nodes=2, token=False) as cluster:
        job = submit(experiment, cluster["dashboard"])
        pretend(submitting, sleep=interrupt)
        with pytest.raises(Detached, match=f"{job.id} goes on without us\nfollow it with: the command\n.*ray job stop"):
            follow(job, lambda text: None, "the command")
        monkeypatch.undo()
        monkeypatch.chdir(mine)
        monkeypatch.setattr("ray.is_initialized", lambda: False)

        said: list[str] = []
        follow(submitted(cluster["dashboard"], experiment), said.append, "")
        assert "2 of 2 trials" in "".join(said)
        brought = fetch(find(cluster["dashboard"]), tmp_path / "fetched")
        again = fetch(find(job.address), tmp_path / "fetched")
        assert (brought.files > 5, again.files) == (True, 0)

        study = load_study(tmp_path / "fetched")
        assert study.trials["status"].tolist() == ["complete"] * 2, study.trials["error"].tolist()
        assert study.trials["lr"].iloc[0] == pytest.approx(5e-4)
        nodes = {read_record(study.folder, n).seeds[0].quality["node"] for n in study.trials["number"]}
        assert len(nodes) == 2  # the code went to both
        assert study.experiment.task == f"{mine}/my_gan.py:Mine"  # an export can be trained on this machine
        there = home / "results" / "my-gan"
        names = {p.relative_to(there) for p in there.rglob("*") if p.is_file()}
        assert {p.relative_to(tmp_path / "fetched") for p in (tmp_path / "fetched").rglob("*") if p.is_file()} == {
            Path("fetched.json"),
            *(name for name in names if is_result(str(name))),
        }

        with pytest.raises(SweepError, match=f"no job '{job.id[:-1]}'; there are: {job.id}"):
            find(job.address[:-1])
        with pytest.raises(StudyError, match="not empty, and was not fetched"):
            fetch(job, mine)


def interrupt(seconds):
    raise KeyboardInterrupt


class Answers:
    """Jobs whose dashboard is away now and then: what it answers in turn."""

    url = "http://there"

    def __init__(self, *answers):
        self.answers = list(answers)

    def info(self, job):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return JobDetails(type="SUBMISSION", status=answer, entrypoint="")

    def log(self, job):
        return "".join(f"line {n}\n" for n in range(30))


def test_follow_waits_for_the_network_and_quotes_the_last_lines_of_a_failure(pretend):
    pretend(submitting, sleep=lambda seconds: None)
    away = NoAnswer("http://there: no Ray dashboard answers")
    said: list[str] = []
    jobs = Answers("PENDING", away, away, "RUNNING", "FAILED")
    with pytest.raises(JobFailed, match=r"^http://there/a: the job failed; .*:\n  line 25\n(.|\n)*  line 29$"):
        follow(Job(jobs, "a", "~/out", "out"), said.append, "")
    assert "".join(said).count("line 7\n") == 1
    assert sum("is asked again" in text for text in said) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--submit", "http://127.0.0.1:1"], "http://127.0.0.1:1: no Ray dashboard answers ([Errno 111]"),
        (["--submit", "ray://127.0.0.1:1"], "ray:// goes to --address"),
        (["--submit", "http://127.0.0.1:1", "--address", "auto"], "--submit and --address cannot go together"),
        (["--follow"], "need --submit URL"),
    ],
)
def test_wrong_options_end_in_one_message(mine, words, message):
    result = CliRunner().invoke(app, ["sweep", "experiment.yaml", *words])
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def test_a_folder_is_packed_in_pieces(tmp_path):
    for n in range(4):
        (tmp_path / f"{n}").write_bytes(bytes(range(256)) * 10)
        os.utime(tmp_path / f"{n}", ns=(n, n))
    after, unpacked, left = (-1, ""), [], 1
    while left:
        for entry in unpack("noise\n" + "\n".join(pack(tmp_path, after, limit=300))):
            left = entry.get("left", left)
            if "data" in entry:
                after = entry["mtime"], entry["name"]
                unpacked.append((entry["name"], len(entry["data"])))
    assert unpacked == [(str(n), 2560) for n in range(4)]
