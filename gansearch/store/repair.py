"""records.jsonl, a copy of every record, a line each; and the repair of a folder with it.

A result.json that was cut off is written again from there. Nothing else reads or writes that file.
"""

from __future__ import annotations

import json
from contextlib import suppress

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
    """Writes records again that are missing or damaged, from the log, and to the log those that it has lost.

    So each record has its second copy again. Tables that cannot be read are removed: they are made of the records, by
    the sweep that goes on and by whoever reads the folder.
    """
    for table in (folder.trials, folder.curves):
        try:
            pq.read_metadata(table)
        except (OSError, ValueError):
            table.unlink(missing_ok=True)
    records = {number: read_record(folder, number) for number in folder.numbers()}
    logged = _logged(folder)
    for number, record in records.items():
        if record is None and number in logged:
            write_record(folder, logged[number])
        elif record is not None and number not in logged:
            log_record(folder, record)


def _logged(folder: Folder) -> dict[int, TrialRecord]:
    """The records of the log, by number; of a trial that is there twice the last one."""
    try:
        with open_file(folder.path / RECORDS_LOG) as log:
            lines = log.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        with suppress(ValueError):
            record = parse_record(from_json(line))
            found[record.number] = record
    return found
