"""A study and its page, shared by the tests of the report."""

import pytest

from gansearch.store.folder import Folder
from gansearch.study.study import Study, load_study


@pytest.fixture(scope="package")
def study(finished: Folder) -> Study:
    """A finished sweep, not to be changed."""
    return load_study(finished.path)


@pytest.fixture(scope="package")
def text(study: Study, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The HTML of its page."""
    return study.report(tmp_path_factory.mktemp("report") / "r.html").read_text()
