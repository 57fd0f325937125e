"""What is kept of a sweep in results/reference: enough for the same page, and little."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gansearch.store.folder import Folder
from gansearch.study.report.report import reasons
from gansearch.study.report.samples import beside_reals
from gansearch.study.study import load_study

REFERENCE = Path(__file__).parents[2] / "results/reference"
KEEP = REFERENCE / "keep.py"


def test_a_kept_study_shows_the_same_samples_and_sentences(finished: Folder, tmp_path: Path) -> None:
    keep = runpy.run_path(str(KEEP))["keep"]
    whole = load_study(finished.path)
    keep(whole, tmp_path / "kept")
    study = load_study(keep(whole, tmp_path / "kept").path)  # a second time replaces the first
    assert study.summary() == whole.summary()
    assert reasons(study) == reasons(whole)
    samples = beside_reals(study)
    assert samples[1].label == "default settings"
    assert samples == beside_reals(whole)
    files = [path for path in study.folder.path.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1e6
    assert not list(study.folder.records.glob("*/curves.parquet"))


def test_the_gpu_benchmark_counts_the_trials_of_a_folder(benchmarks: Callable[[str], Any]) -> None:
    counts = benchmarks("gpu").counts(REFERENCE / "digits")
    assert counts["finished"] == len(list((REFERENCE / "digits/trials").glob("*/result.json")))
    assert counts["failed"] == 0
    assert counts["updates"] > 0
