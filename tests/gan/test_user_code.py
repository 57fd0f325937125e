import sys

import pytest
import torch

from gansearch.gan import TaskError, load_task
from gansearch.gan.user_code import TrainingFailed, as_program, explained, user_traceback

MINE = """
import torch
from torch import nn
import gansearch.gan
from helper import WIDTH
class Mine(gansearch.gan.Task):
    latent_dim = 2
    def __init__(self, width: int = WIDTH):
        self.width = width
    def real(self):
        return torch.randn(100, 3)
    def generator(self):
        return nn.Linear(2, 3)
    def discriminator(self):
        return nn.Linear(3, 1)
"""


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "helper.py").write_text("WIDTH = 7")
    path = tmp_path / "my_gan.py"
    path.write_text(MINE)
    return path


def test_a_class_in_a_file_with_a_module_beside_it(mine):
    task = load_task(f"{mine}:Mine")
    assert task.width == 7
    assert load_task(f"{mine}:Mine", {"width": 3}).width == 3
    assert task.generator().in_features == 2


def test_a_class_in_a_package_of_the_working_directory(mine, tmp_path, monkeypatch):
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "nets.py").write_text(MINE.replace("from helper import WIDTH", "WIDTH = 9"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [path for path in sys.path if path])
    assert load_task("my_package.nets:Mine").width == 9


def test_a_near_miss_of_a_class_is_suggested(mine):
    with pytest.raises(TaskError, match='did you mean "Mine"'):
        load_task(f"{mine}:Mina")


def test_a_file_that_raises_shows_its_own_line(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("import math\n\nx = math.sqrt(-1)\n")
    with pytest.raises(TaskError) as caught:
        load_task(f"{path}:Task")
    assert 'bad.py", line 3' in str(caught.value)
    assert "ValueError" in str(caught.value)
    assert "user_code.py" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("import sys\nsys.exit(0)", ["ended the program", "line 2", "SystemExit: 0", "hint: exit()"]),
        ("raise KeyboardInterrupt", ["line 1", "KeyboardInterrupt"]),
        ("class Odd(BaseException): pass\nraise Odd('x')", ["line 2", "Odd: x"]),
        (
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('--data', required=True)\np.parse_args()",
            ["line 4", "SystemExit: 2", "sys.argv"],
        ),
    ],
)
def test_a_file_that_ends_the_program_is_named_with_its_line(tmp_path, text, parts):
    path = tmp_path / "ends.py"
    path.write_text(text)
    with pytest.raises(TaskError) as caught:
        load_task(f"{path}:Task")
    for part in ["ends.py", *parts]:
        assert part in str(caught.value)
    assert "argparse.py" not in str(caught.value)


def test_arguments_at_import_have_their_defaults(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["gansearch", "check", "--quiet"])
    path = tmp_path / "my_gan.py"
    parser = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--width', default=5)\n"
    (tmp_path / "helper.py").write_text(f"{parser}WIDTH = p.parse_args().width")
    path.write_text(MINE)
    assert load_task(f"{path}:Mine").width == 5
    assert sys.argv == ["gansearch", "check", "--quiet"]
    with as_program("./a.py:Mine"):
        assert sys.argv == ["./a.py"]


def test_an_interrupt_at_import_is_raised_again(tmp_path):
    path = tmp_path / "slow.py"
    path.write_text("import signal, os, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)\n")
    with pytest.raises(KeyboardInterrupt):
        load_task(f"{path}:Task")


def test_where_no_line_is_the_user_s_the_reason_is_left():
    try:
        torch.nn.BatchNorm1d(3)(torch.zeros(1, 3))
    except ValueError as error:
        error.__traceback__ = error.__traceback__.tb_next
        text = user_traceback(error)
    assert text.splitlines()[0].startswith("ValueError: Expected more than 1 value per channel")
    assert text.splitlines()[1].startswith("hint: batch norm needs two samples in a batch")


def test_long_messages_are_cut_off():
    assert len(user_traceback(RuntimeError("line\n" * 100)).splitlines()) == 11


def test_what_a_training_raises_is_explained():
    with (
        pytest.raises(TrainingFailed, match=r"a.py:train: the training ended with\n(.|\n)*SystemExit: 3") as caught,
        explained("a.py:train"),
    ):
        sys.exit(3)
    assert caught.value.exit_status == 1
    with pytest.raises(TaskError), explained("a.py:train"):
        raise TaskError("as it is")
