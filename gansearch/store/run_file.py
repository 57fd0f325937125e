"""run.json: how a sweep was run. What of it is not of the type that it should be is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gansearch.store.folder import Folder
from gansearch.store.nan_json import read_json

_FIELDS: dict[str, type | tuple[type, ...]] = {
    "versions": dict,
    "hardware": str,
    "command": str,
    "score": list,
    "slots": int,
    "wall_seconds": (int, float),
    "total_seconds": (int, float),
    "ended": str,
    "sources": dict,
    "gpu_hours": (int, float),
    "fill": dict,
    "stack": dict,
}


def read_run(folder: Folder) -> dict[str, Any]:
    """Return the fields that run.json has whole; {} where there is none that can be read."""
    data = read_json(folder.run)
    if not isinstance(data, Mapping):
        return {}
    run = {name: data[name] for name, kind in _FIELDS.items() if isinstance(data.get(name), kind)}
    if "sources" in run:
        run["sources"] = {name: found for name, found in run["sources"].items() if _is_source(found)}
    return run


def _is_source(found: Any) -> bool:
    """Return whether these are numbers of a source, as `gansearch.store.sources` has them."""
    if not isinstance(found, Mapping):
        return False
    counts = [found.get("trials"), found.get("balanced")]
    shares = [found[name] for name in ("distance", "won") if found.get(name) is not None]
    return all(isinstance(n, int) for n in counts) and all(isinstance(x, int | float) for x in shares)
