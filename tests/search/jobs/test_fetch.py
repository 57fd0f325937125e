"""What a fetch writes; test_submit.py has one from a real cluster."""

import pytest

from gansearch.search.jobs import fetch as fetching
from gansearch.store.folder import StudyError


def test_a_fetched_name_stays_in_its_folder(tmp_path):
    for name in ("../a", "/a", "trials/../../a", ".url"):
        with pytest.raises(StudyError, match="is no file of a results folder"):
            fetching._write(tmp_path, name, b"")
