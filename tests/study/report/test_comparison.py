"""The page on several studies."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansearch.store.folder import StudyError
from gansearch.study.report.comparison import write_comparison
from gansearch.study.study import Study, load_study
from tests.study.report.html_page import Page
from tests.synthetic import write_study


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return load_study(write_study(tmp_path_factory.mktemp("other") / "other", trials=12, name="<b>other</b>").path)


def test_the_studies_are_side_by_side(study: Study, other: Study, tmp_path: Path) -> None:
    path = write_comparison([study, other], tmp_path / "c.html")
    found = Page(path.read_text())
    assert found.ids("section") == ["answer", "differences", "maps", "fronts", "curves"]
    assert set(found.charts()) == {"comparison", *(f"{id}-{i}" for id in ("map", "pareto", "curves") for i in (0, 1))}
    text = found.words()
    assert "<b>other</b>" in text
    assert study.best is not None
    assert f"chosen trial {study.best.number} " in text
    assert "distances are not comparable" not in text


def test_a_page_that_cannot_be_written_is_an_error(study: Study, other: Study, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be written"):
        write_comparison([study, other], tmp_path / "missing" / "c.html")
