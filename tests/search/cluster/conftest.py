"""A user's folder with a task."""

import pytest

TASK = "import gansearch\nimport beside\n\n\nclass Mine(gansearch.Task):\n    pass\n"


@pytest.fixture
def mine(tmp_path):
    """A folder with a task's file, a module beside it, and data."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "my_gan.py").write_text(TASK)
    (folder / "beside.py").write_text("")
    (folder / "data.txt").write_text("0 " * 500)
    return folder
