import pytest
from typer.testing import CliRunner

from gansearch.cli.main import app
from gansearch.experiment import Experiment

SCRIPT = """
import argparse
from torch.optim import Adam
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
opt = parser.parse_args()
d_opt, g_opt = Adam(d.parameters(), lr=1e-4), Adam(g.parameters(), lr=2e-4)
train(opt.epochs)
raise SystemExit("this script was run")
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)

    def invoke(*words):
        result = CliRunner().invoke(app, ["init", *words])
        return result.exit_code, result.output

    return invoke


def test_the_experiment_file_of_a_script_is_written_and_nothing_of_it_is_run(run, tmp_path):
    status, output = run("my-gan", "--from-script", "train.py")
    assert status == 0, output
    experiment = Experiment.load("my-gan/experiment.yaml")
    assert experiment.task.command == ["python", "train.py", "--epochs={updates}"]
    assert experiment.task.here == str(tmp_path)
    assert list(experiment.search) == ["lr_d", "lr_g"]
    assert [path.name for path in (tmp_path / "my-gan").iterdir()] == ["experiment.yaml"]
    assert output.endswith("try it with: gansearch check my-gan/experiment.yaml\n")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["my-gan", "--from-script", "none.py"], "none.py cannot be read: No such file"),
        (["my-gan", "--from-script", "a.ipynb"], "is a notebook"),
        (["my-gan", "--from-script", "train.py", "--from-loop"], "cannot go together"),
        ([".", "--from-script", "train.py"], "is not an empty folder"),
        (["--from-script", "train.py"], "name a new or an empty folder"),
    ],
)
def test_a_wrong_call_is_told_and_writes_nothing(run, tmp_path, words, part):
    status, output = run(*words)
    assert status == 2
    assert part in " ".join(output.replace("│", " ").split())
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]
