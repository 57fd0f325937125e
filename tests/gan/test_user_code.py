import sys

import pytest

from gansearch.gan import TaskError, load_task

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
