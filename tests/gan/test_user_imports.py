import random
import statistics
import sys

import pytest

from gansearch.gan.user_imports import import_file, import_from

FILES = {
    "my_gan.py": "import random, statistics, helper\nfrom datasets import a, B\nimport datasets.b\n"
    "got = random.WIDTH, statistics.mean, helper.f(), a.A, B, datasets.b.C\n",
    "random.py": "WIDTH = 7\n",
    "statistics.py": "import random\nmean = random.WIDTH + 1\n",
    "helper.py": "def f():\n    import statistics\n    return statistics.mean\n",
    "datasets/__init__.py": "from . import a\nfrom datasets.b import B\n",
    "datasets/a.py": "import statistics\nA = statistics.mean\n",
    "datasets/b.py": "import datasets.c as c\nB, C = 2, c.C\n",
    "datasets/c.py": "C = 3\n",
    "json.py": "import json\nloaded = json.loads('1')\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_files_beside_the_user_s_come_first_for_them_alone(folder):
    assert import_file(folder / "my_gan.py").got == (7, 8, 8, 8, 2, 3)
    assert random.random() < 1
    assert statistics.mean([1, 3]) == 2
    assert sys.modules["random"] is random


def test_a_file_that_is_called_like_a_module_gets_that_module(folder):
    assert import_file(folder / "json.py").loaded == 1


def test_a_module_of_a_folder_comes_before_an_installed_one(folder):
    assert import_from(folder, "statistics").mean == 8
    assert import_from(folder, "datasets.a").A == 8
    assert import_from(folder, "json").loaded == 1


def test_a_file_comes_before_a_module_that_is_installed_below_its_folder(folder, monkeypatch):
    for name in (".venv/lib/python3/site-packages/below_it.py", "below_it.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"WHERE = {name!r}\n")
    monkeypatch.syspath_prepend(folder / ".venv/lib/python3/site-packages")
    assert import_from(folder, "below_it").WHERE == "below_it.py"


def test_a_file_is_imported_once(folder):
    assert import_file(folder / "my_gan.py") is import_file(folder / "my_gan.py")


def test_gansearch_is_the_one_that_runs(folder):
    (folder / "gansearch.py").write_text("raise RuntimeError\n")
    (folder / "mine.py").write_text("import gansearch\nfrom gansearch import Task\n")
    import_file(folder / "mine.py")
