"""The configurations in prior.json: the best tenth of the recorded runs of each task, with their parameters."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def recorded_runs() -> list[dict[str, Any]]:
    """Return {"task", "params"} of each run; `benchmarks/search_runs.py --prior` writes the file."""
    text = files("gansearch.search.sampling").joinpath("prior.json").read_text(encoding="utf-8")
    runs: list[dict[str, Any]] = json.loads(text)
    return runs
