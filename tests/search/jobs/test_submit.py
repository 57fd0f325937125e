"""A sweep as a job of a real cluster: sent, left alone, followed, and brought back through the dashboard."""

import os
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from ray.job_submission import JobDetails
from typer.testing import CliRunner

from gansearch.cli.main import app
from gansearch.experiment import Experiment, ExperimentError
from gansearch.search.errors import Detached, JobFailed, SweepError
from gansearch.search.jobs import fetch as fetching
from gansearch.search.jobs import package as packing
from gansearch.search.jobs import submit as submitting
from gansearch.search.jobs.client import Jobs, NoAnswer
from gansearch.search.jobs.fetch import fetch, find
from gansearch.search.jobs.package import FILE, packages, packed
from gansearch.search.jobs.submit import Job, follow, submit, submitted
from gansearch.store.archive import is_result, pack, unpack
from gansearch.store.folder import StudyError
from gansearch.store.trial_files import read_record
from gansearch.study.study import load_study
from tests.search import heads

TASK = """
import time

import gansearch
import ray
import torch
from networks import small

class Mine(gansearch.Task):
    latent_dim = 2

    def real(self):
        return torch.tensor([[float(x) for x in line.split()] for line in open("data.txt")])

    def generator(self):
        return small(2)

    def discriminator(self):
        return small(1)

    def quality(self, real, fake):
        time.sleep(1)  # so that no node has trained them all before the other has begun
        node = int(ray.get_runtime_context().get_node_id()[:8], 16) if ray.is_initialized() else 0
        return {"distance": float((real.mean(0) - fake.mean(0)).norm()), "node": node}
"""
EXPERIMENT = """
name: my gan
task: ./my_gan.py:Mine
training: {updates: 40, batch_size: 8}
search: {lr: {low: 1e-4, high: 1e-2, log: true}}
start_from: [settings.yaml]
trials: 2
sampler: random
prune: false
confirm: null
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The user's folder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "my_gan.py").write_text(TASK)
    (folder / "networks.py").write_text("from torch import nn\n\n\ndef small(out):\n    return nn.Linear(2, out)\n")
    (folder / "data.txt").write_text("0.5 1.0\n-1.0 0.25\n" * 50)
    (folder / "settings.yaml").write_text("name: a\ntask: ring\ntraining: {lr: 5e-4}\n")
    (folder / "experiment.yaml").write_text(EXPERIMENT)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # whatever other tests have started
    return folder


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_a_job_goes_on_without_us_and_its_results_come_back(mine, tmp_path, monkeypatch, pretend):
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
        brought = fetch(find(cluster["dashboard"]), tmp_path / "here")
        again = fetch(find(job.address), tmp_path / "here")
        assert (brought.files > 5, again.files) == (True, 0)

        study = load_study(tmp_path / "here")
        assert study.trials["status"].tolist() == ["complete"] * 2, study.trials["error"].tolist()
        assert study.trials["lr"].iloc[0] == pytest.approx(5e-4)
        nodes = {read_record(study.folder, n).seeds[0].quality["node"] for n in study.trials["number"]}
        assert len(nodes) == 2  # the code went to both
        assert study.experiment.task == f"{mine}/my_gan.py:Mine"  # an export can be trained here
        there = home / "results" / "my-gan"
        names = {p.relative_to(there) for p in there.rglob("*") if p.is_file()}
        assert {p.relative_to(tmp_path / "here") for p in (tmp_path / "here").rglob("*") if p.is_file()} == {
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


def test_a_network_that_is_away_is_waited_for_and_a_failure_is_told_by_its_last_lines(pretend):
    pretend(submitting, sleep=lambda seconds: None)
    away = NoAnswer("http://there: no Ray dashboard answers")
    said: list[str] = []
    jobs = Answers("PENDING", away, away, "RUNNING", "FAILED")
    with pytest.raises(JobFailed, match=r"^http://there/a: the job failed; .*:\n  line 25\n(.|\n)*  line 29$"):
        follow(Job(jobs, "a", "~/out", "out"), said.append, "")
    assert "".join(said).count("line 7\n") == 1
    assert sum("is asked again" in text for text in said) == 1


class Refusing(BaseHTTPRequestHandler):
    """A dashboard that wants a token."""

    def do_GET(self):
        self.send_response(403 if "authorization" in self.headers else 401)
        self.end_headers()

    def log_message(self, *what):
        pass


def test_who_is_not_let_in_is_told_what_to_set(mine):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with pytest.raises(SweepError, match=f"{url}: the cluster wants a token. Set RAY_AUTH_MODE=token, and "):
        Jobs(url)
    server.shutdown()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--submit", "http://127.0.0.1:1"], "http://127.0.0.1:1: no Ray dashboard answers ([Errno 111]"),
        (["--submit", "ray://127.0.0.1:1"], "ray:// goes to --address"),
        (["--submit", "http://127.0.0.1:1", "--address", "auto"], "--submit and --address cannot go together"),
        (["--follow"], "need --submit URL"),
    ],
)
def test_mistakes_end_in_one_message(mine, words, message):
    result = CliRunner().invoke(app, ["sweep", "experiment.yaml", *words])
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def test_what_nodes_install_is_pinned_but_for_ray_and_torch(mine, monkeypatch):
    (mine / "requirements.txt").write_text("# mine\neinops>=0.8\n")
    found = packages(mine)
    assert "einops>=0.8" in found
    assert f"optuna=={version('optuna')}" in found
    assert not [text for text in found if text.startswith(("ray", "torch"))]
    (mine / "requirements.txt").write_text("--index-url http://there\n")
    with pytest.raises(ExperimentError, match="--pip sends packages alone"):
        packages(mine)


def test_a_built_in_task_s_data_go_along_while_the_dashboard_takes_them(mine, monkeypatch):
    data = mine / "numbers"
    data.mkdir()
    np.save(data / "points.npy", np.random.default_rng(0).normal(size=(100, 2)))
    fields = {"name": "a", "task": "points", "task_options": {"path": str(data)}, "training": {"updates": 40}}
    env = packed(Experiment.parse(fields), mine / "folder.zip")
    with zipfile.ZipFile(mine / "folder.zip") as archive:
        assert sorted(archive.namelist()) == [FILE, "numbers/points.npy"]
    assert env["env_vars"] == {"GANSEARCH_FROM": str(mine)}

    fields["task_options"] = {"path": str(data / "points.npy")}
    packed(Experiment.parse(fields), mine / "file.zip")
    with zipfile.ZipFile(mine / "file.zip") as archive:
        assert sorted(archive.namelist()) == [FILE, "points.npy"]

    monkeypatch.setattr(packing, "JOB_PACKAGE_BYTES", 2**20 + 1000)
    env = packed(Experiment.parse(fields), mine / "large.zip")
    with zipfile.ZipFile(mine / "large.zip") as archive:
        assert archive.namelist() == [FILE]
    assert env["env_vars"] == {}


def test_what_the_dashboard_does_not_take_is_told_before_it_is_sent(mine, monkeypatch):
    monkeypatch.setattr(packing, "JOB_PACKAGE_BYTES", 100)
    with pytest.raises(SweepError, match=rf"task: {mine} holds .* when packed, and the cluster's dashboard takes"):
        packed(Experiment.load("experiment.yaml"), mine / "package.zip")


def test_a_fetched_name_stays_in_its_folder(tmp_path):
    for name in ("../a", "/a", "trials/../../a", ".url"):
        with pytest.raises(StudyError, match="is no file of a results folder"):
            fetching._write(tmp_path, name, b"")


def test_a_folder_goes_piece_by_piece_through_a_log(tmp_path):
    for n in range(4):
        (tmp_path / f"{n}").write_bytes(bytes(range(256)) * 10)
        os.utime(tmp_path / f"{n}", ns=(n, n))
    after, found, left = (-1, ""), [], 1
    while left:
        for entry in unpack("noise\n" + "\n".join(pack(tmp_path, after, limit=300))):
            left = entry.get("left", left)
            if "data" in entry:
                after = entry["mtime"], entry["name"]
                found.append((entry["name"], len(entry["data"])))
    assert found == [(str(n), 2560) for n in range(4)]
