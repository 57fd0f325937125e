"""records.jsonl, a copy of every record, a line each; and the repair of a folder with it.

A result.json that was cut off is written again from there. Nothing else reads or writes that file.
"""

from __future__ import annotations

import json

import pyarrow.parquet as pq

from gansearch.store.archive import RECORDS_LOG
from gansearch.store.containment import open_file
from gansearch.store.folder import Folder
from gansearch.store.nan_json import from_json, to_json
from gansearch.store.record import TrialRecord, parse_record
from gansearch.store.trial_files import read_record, write_record


def log_record(folder: Folder, record: TrialRecord) -> None:
    """Adds a record to the log. Each line begins with its newline: one that was cut off spoils no other."""
    line = json.dumps(json.loads(to_json(record.as_dict())), separators=(",", ":"))
    with (folder.path / RECORDS_LOG).open("a", encoding="utf-8") as log:
        log.write(f"\n{line}")


def repair(folder: Folder) -> None:
    """Writes the records again that cannot be read and are in the log; removes tables that cannot be read.

    Tables are made of the records, by the sweep that goes on and by whoever reads the folder.
    """
    for table in (folder.trials, folder.curves):
        try:
            pq.read_metadata(table)
        except (OSError, ValueError):
            table.unlink(missing_ok=True)
    broken = {number for number in folder.numbers() if read_record(folder, number) is None}
    try:
        with open_file(folder.path / RECORDS_LOG) as log:
            lines = log.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines if broken else ():
        try:
            record = parse_record(from_json(line))
        except ValueError:
            continue
        if record.number in broken:
            write_record(folder, record)
