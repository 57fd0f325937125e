"""A folder for a study."""

import pytest

from gansearch.store.folder import Folder


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
