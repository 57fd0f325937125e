"""Keeps of a finished sweep what its page is made of: for a study in this folder, which backs a claim of the README.

    python results/reference/keep.py results/digits results/reference/digits

Beside the tables these are the records of the few trials whose samples or sentences the page shows, without the curves
and the checkpoints that a results folder holds for each. Records that were there before are removed.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from gansearch.store.folder import Folder
from gansearch.study.report.report import reasons
from gansearch.study.report.samples import displayed
from gansearch.study.study import Study, load_study


def keep(study: Study, to: Path) -> Folder:
    """Copies into a folder, which is made."""
    folder, kept = study.folder, Folder(to)
    numbers = {*displayed(study), *(reason.number for reason in reasons(study))}
    made_again = (folder.report, folder.progress)
    files = [file for file in folder.path.glob("[!.]*") if file.is_file() and file not in made_again]
    files += [file for number in numbers for file in folder.record(number).glob("*") if file.name != "curves.parquet"]
    shutil.rmtree(kept.records, ignore_errors=True)
    for file in files:
        copy = to / file.relative_to(folder.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path, help="a results folder")
    parser.add_argument("to", type=Path)
    given = parser.parse_args()
    kept = keep(load_study(given.sweep), given.to)
    files = [file for file in kept.path.rglob("*") if file.is_file()]
    print(f"{kept.path}: {len(files)} files, {sum(file.stat().st_size for file in files) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
