"""Samples in the report and in a notebook: whose, and how."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gansearch.store.samples import write_moments, write_real
from gansearch.store.trial_files import read_record, write_trial
from gansearch.study.report.samples import Gallery, beside_reals, displayed, over_time, samples_of
from gansearch.study.study import Study, load_study
from tests.rendering.test_render import KINDS
from tests.synthetic import write_study


def test_the_samples_of_the_chosen_trial_come_first(study: Study) -> None:
    assert study.best is not None
    numbers = displayed(study)
    assert numbers[0] == study.best.number
    assert len(numbers) == len(set(numbers)) == 4


@pytest.mark.parametrize(("kind", "array", "shown"), KINDS, ids=[kind for kind, *_ in KINDS])
def test_reals_are_displayed_beside_generated_ones(kind: str, array: np.ndarray, shown: dict, tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", trials=12, samples=False)
    for number in range(12):
        record = read_record(folder, number)
        assert record is not None
        write_trial(folder, record, [], array, shown)
    write_real(folder, array, shown)
    text = Gallery(beside_reals(load_study(folder.path)))._repr_html_()
    assert "Real, held out" in text
    assert text.count("<figure>") == 4
    assert {"audio": "<audio controls", "text": '<pre class="text">', "table": "<th scope"}[kind] in text
    assert "<script>alert" not in text
    assert kind == "audio" or "&lt;script&gt;alert(1)" in text


def test_without_reals_four_configurations_are_displayed(study: Study) -> None:
    text = study.show_samples()._repr_html_()
    assert text.count("<figure>") == text.count('src="data:image/png') == 4
    assert "held out" not in text


def test_a_study_may_have_no_samples(tmp_path: Path) -> None:
    bare = load_study(write_study(tmp_path / "bare", trials=1, samples=False).path)
    assert "No samples were kept" in bare.show_samples()._repr_html_()


def test_samples_of_several_moments_have_pictures_on_one_scale(tmp_path: Path) -> None:
    assert over_time("trial 0", tmp_path) is None
    points = np.stack([np.full((9, 2), 0.1), np.full((9, 2), 1.0)]).astype("float32")
    write_moments(tmp_path, [0, 100], points, {})
    found = over_time("trial 0", tmp_path)
    assert found is not None
    assert list(found.moments) == [0, 100]
    assert len({display.picture for display in found.moments.values()}) == 2
    write_moments(tmp_path, [0], points[:1], {})
    assert over_time("trial 0", tmp_path) is None, "one moment is no course"


def test_samples_of_a_trial_without_a_verdict_say_so(tmp_path: Path) -> None:
    """A trial that was stopped with nothing wrong in D's answers has none."""
    study = load_study(write_study(tmp_path / "s", trials=2, confirmed=False).path)
    study.trials["verdict"] = None
    assert {one.verdict for one in samples_of(study, [0])} == {"no_verdict"}
