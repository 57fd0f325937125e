import warnings

import pytest

from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.modules import modules

FILES = {
    "train.py": "import torch\nimport nets.g as g\nfrom data import load\nimport nothing\nfrom models import make\n",
    "nets/__init__.py": "",
    "nets/g.py": "from . import d\nfrom .d import D\n",
    "nets/d.py": "import json",
    "data.py": "raise SystemExit",
    "models/__init__.py": "import importlib\ndef make(name):\n    importlib.import_module('models.' + name)\n",
    "models/pix.py": "",
    "unread.py": "",
}


def test_imports_are_followed_within_the_folder_and_nothing_is_imported(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = modules(tmp_path / "train.py", tmp_path)
    assert found[0].name == "train.py"
    assert sorted(one.name for one in found) == sorted(FILES.keys() - {"unread.py"})
    assert found[0].at(found[0].tree.body[2]) == "train.py:3"


def test_a_file_that_is_no_python_is_left_out_unless_it_is_the_script(tmp_path):
    (tmp_path / "train.py").write_text("import old")
    (tmp_path / "old.py").write_text("print 'x'")
    assert [one.name for one in modules(tmp_path / "train.py", tmp_path)] == ["train.py"]
    with pytest.raises(ScriptError, match="is not Python that can be read"):
        modules(tmp_path / "old.py", tmp_path)
    (tmp_path / "text.py").write_bytes(b"\xff\xfe")
    (tmp_path / "deep.py").write_text(f"x = {'+'.join('1' * 20_000)}\n")
    deep = "deep.py is not Python that can be read: an expression is nested too deeply"
    for message in ("none.py cannot be read: No such file", "text.py is no text of Python", deep):
        with pytest.raises(ScriptError, match=rf"^\S*/{message}"):
            modules(tmp_path / message.partition(" ")[0], tmp_path)


def test_warnings_of_a_script_are_its_own(tmp_path):
    (tmp_path / "train.py").write_text("pattern = '\\d'\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(modules(tmp_path / "train.py", tmp_path)) == 1
