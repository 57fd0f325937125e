"""confirmation.json and default.json: what the candidates and the default settings did on fresh seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder, write_whole
from gansearch.store.nan_json import read_json, to_json
from gansearch.store.record import parse


@dataclass(frozen=True, kw_only=True)
class FreshSeed(SeedResult):
    """A result on a seed that the search has not used."""

    number: int | None = None
    """Of the trial whose configuration it is; None for the default settings."""
    budget: int | None = None
    """The updates that `confirm:` asks for; None where it leaves them to `training:`."""


def read_confirmation(folder: Folder) -> list[FreshSeed]:
    """The results of the candidates; empty where nothing has been confirmed. Raises StudyError as `read_json` does."""
    entries = read_json(folder.confirmation)
    try:
        return [parse(FreshSeed, entry) for entry in entries]
    except (ValueError, TypeError, AttributeError):
        return []


def write_confirmation(folder: Folder, seeds: Iterable[FreshSeed]) -> None:
    """Writes the results of the candidates."""
    write_whole(folder.confirmation, to_json([{"number": seed.number, **_entry(seed)} for seed in seeds]))


def read_default(folder: Folder) -> list[FreshSeed]:
    """The results of the default settings; empty where nobody has tried them.

    default.json is written by the confirmation; what `gansearch train experiment.yaml --json` prints will do as well.
    Raises StudyError as `read_json` does.
    """
    data = read_json(folder.default)
    try:
        return [parse(FreshSeed, {**entry, **_numbers(entry), "number": None}) for entry in data["seeds"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []


def write_default(folder: Folder, seeds: Iterable[FreshSeed]) -> None:
    """Writes the results of the default settings, by seed."""
    ordered = sorted(seeds, key=lambda seed: seed.seed)
    write_whole(folder.default, to_json({"seeds": [_entry(seed) for seed in ordered]}))


def _entry(seed: FreshSeed) -> dict[str, Any]:
    data = asdict(seed)
    del data["number"]
    return {"budget": data.pop("budget"), **data}


def _numbers(entry: dict[str, Any]) -> dict[str, Any]:
    """The numbers of `gansearch train --json`, which writes null for NaN."""
    numbers: dict[str, Any] = {name: math.nan for name in ("stability", "distance") if entry[name] is None}
    if isinstance(quality := entry.get("quality"), dict):
        numbers["quality"] = {name: math.nan if value is None else value for name, value in quality.items()}
    return numbers
