"""A study, opened, whoever made it."""

from __future__ import annotations

from pathlib import Path

from gansearch.study.foreign.study import is_foreign, open_foreign
from gansearch.study.swept import Study, load_sweep

__all__ = ["Study", "load_study", "load_sweep"]


def load_study(dir: str | Path) -> Study:
    """Open a results folder, or a study of somebody else: an Optuna study, or an experiment folder of Ray Tune.

    Of results at a URL, such as s3://bucket/prefix, it opens a copy. An Optuna study is a journal file, an SQLite file
    or the URL of a database; `?study=NAME` after it chooses one of several. What such a study did not record is NaN, or
    has no figure. Raises StudyError where it is none of these.
    """
    return open_foreign(dir) if is_foreign(dir) else load_sweep(dir)
