"""From the command to the optimizer: how many of our functions a reader passes."""

import json
import traceback
from pathlib import Path
from types import SimpleNamespace

import ray
import torch
from ray import tune
from typer.testing import CliRunner

import gansearch
from gansearch.cli.main import app
from gansearch.search.trials import actors
from gansearch.store.folder import Folder

OURS = Path(gansearch.__file__).parent
TASK = """
import json, traceback
from pathlib import Path
import torch
from torch import nn
from gansearch.gan import Task

HERE = Path(__file__).parent
FIRST = torch.optim.Adam.step


def step(self, *given, **named):
    stack = [[f.filename, f.name] for f in traceback.extract_stack()]
    if any(name.startswith("update_") for _, name in stack):  # the check takes steps of its own
        (HERE / "stack.json").write_text(json.dumps(stack))
    return FIRST(self, *given, **named)


class Mine(Task):
    latent_dim = 2

    def real(self):
        return torch.randn(200, 2)

    def generator(self):
        torch.optim.Adam.step = step
        return nn.Linear(2, 2)

    def discriminator(self):
        return nn.Linear(2, 1)
"""


def ours(stack):
    """The functions of ours in a stack, outermost first."""
    return [name for file, name in stack if Path(file).is_relative_to(OURS)]


def test_at_most_eight_functions_lead_from_the_command_to_the_optimizer(ray_session, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(TASK)
    experiment = tmp_path / "mine.yaml"
    experiment.write_text("{name: mine, task: ./mine.py:Mine, training: {updates: 20}, trials: 1, confirm: null}")
    driver, fit = [], tune.Tuner.fit

    def captured(tuner):
        driver.extend((frame.filename, frame.name) for frame in traceback.extract_stack())
        return fit(tuner)

    monkeypatch.setattr(tune.Tuner, "fit", captured)
    monkeypatch.setattr(torch.optim.Adam, "step", torch.optim.Adam.step)  # the task replaces it in this process too
    found = CliRunner().invoke(app, ["sweep", str(experiment), "--out", str(tmp_path / "out"), "--quiet"])
    assert found.exit_code == 0, found.output
    commands = ours(driver)
    from_command = commands[commands.index("sweep") :]  # before it are those that all commands pass
    worker = ours(json.loads((tmp_path / "stack.json").read_text()))
    assert from_command[:3] == ["sweep"] * 3, "the command, the Python face, and the sweep"
    assert worker[-1].startswith("update_"), "the optimizer's step is called from an update of a network"
    assert len(from_command) + len(worker) <= 8, (from_command, worker)


def test_what_trials_ask_is_on_the_driver_s_node(make_tiny, monkeypatch, tmp_path):
    """Another node may leave: the sweep would go on without rungs and further seeds."""
    asked, killed, driver = [], [], "5a" * 28

    def remote(**options):
        asked.append(options)
        return lambda cls: SimpleNamespace(remote=lambda *given: cls.__name__)

    monkeypatch.setattr(ray, "remote", remote)
    monkeypatch.setattr(ray, "kill", killed.append)
    monkeypatch.setattr(ray, "get_runtime_context", lambda: SimpleNamespace(get_node_id=lambda: driver))
    experiment = make_tiny(prune=True, replicas={"least": 1, "most": 2})
    with actors(SimpleNamespace(experiment=experiment, folder=Folder(tmp_path)), []) as found:
        assert found == ("Rungs", "Race")
    assert killed == ["Rungs", "Race"]
    places = [options.pop("scheduling_strategy") for options in asked]
    assert {(place.node_id, place.soft) for place in places} == {(driver, False)}
    assert all(options == {"num_cpus": 0} for options in asked)
