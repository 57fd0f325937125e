"""Every record once more, a line each: what a damaged file of a trial has lost is read there."""

from __future__ import annotations

import json

import pyarrow.parquet as pq

from gansearch.store.folder import Folder, write_whole
from gansearch.store.records import from_json, read_record, to_json


def log_record(folder: Folder, number: int) -> None:
    """Adds a trial's record to the log. Each line begins with its newline: one that was cut off spoils no other."""
    record = (folder.record(number) / "result.json").read_text(encoding="utf-8")
    line = json.dumps(json.loads(record), separators=(",", ":"))
    with folder.log.open("a", encoding="utf-8") as log:
        log.write(f"\n{line}")


def mend_folder(folder: Folder) -> None:
    """Writes the records anew that cannot be read and are in the log; removes tables that cannot be read.

    Tables are made of the records, by the sweep that goes on and by whoever reads the folder.
    """
    for table in (folder.trials, folder.curves):
        try:
            pq.read_metadata(table)
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            table.unlink()
    numbers = [int(path.name) for path in folder.records.glob("[0-9]*") if path.name.isdigit()]
    broken = {number for number in numbers if read_record(folder, number) is None}
    if not broken or not folder.log.is_file():
        return
    found = {}
    for line in folder.log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = from_json(line)
            number = record["row"]["number"]
        except (ValueError, KeyError, TypeError):
            continue
        if number in broken:
            found[number] = record
    for number, record in found.items():
        write_whole(folder.record(number) / "result.json", to_json(record))
