"""Results folders as strangers may make them: damaged, or made to damage whoever opens them.

    python benchmarks/fuzz_folders.py [--quick] [--mutations N] [--seed N]

Each time a folder is changed at some places, of bytes, of values or of files, and opened by what opens a folder:
status, summary, export, and of every 25th the report. What counts: it opens, or is refused by an error of ours, with no
other exception; nothing is written outside of the folder; the memory of the process stays bounded. Values that the
commands would still catch (`gansearch.cli.group`) count as faults here.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from gansearch.store import lock
from gansearch.store.folder import Folder
from gansearch.study.status import lines, status
from gansearch.study.study import Study, load_study
from tests.synthetic import write_study

MOST_MEGABYTES = 1_500
"""Of memory beyond what the process has after it has opened the whole folder."""
REPORT_EVERY = 25
"""A report takes a second; the rest of what opens a folder takes some milliseconds."""
ODD: list[Any] = [
    *(None, True, "", "x" * 10_000, "\x1b[2J", "../../outside", "NaN", "Infinity", -1, 0, 2**63, 10**400, 1e308, -0.0),
    *([], {}, [[]] * 100, {"a": {"b": None}}, [None] * 3, "s3://bucket/outside", "2030-01-01", "\ud800", float("nan")),
]
"""Values that stand where others should."""


def damaged_bytes(path: Path, rng: random.Random) -> None:
    """Change some bytes, cut the file off, or repeat a part of it."""
    content = bytearray(path.read_bytes())
    kind = rng.randrange(4)
    if kind == 0 or not content:
        content[: rng.randrange(len(content) + 1)] = b""
    elif kind == 1:
        content = content[: rng.randrange(len(content))]
    elif kind == 2:
        start = rng.randrange(len(content))
        content[start:start] = content[start : start + rng.randrange(1, 200)] * rng.randrange(1, 50)
    else:
        for _ in range(rng.randrange(1, 9)):
            content[rng.randrange(len(content))] = rng.randrange(256)
    path.write_bytes(content)


def another_kind(path: Path, rng: random.Random) -> None:
    """Put something else in the place of a file: nothing, a folder, a link, a pipe."""
    path.unlink()
    kind = rng.randrange(6)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        path.symlink_to(rng.choice(["/etc/passwd", "/dev/zero", "../../outside", path.name, "nowhere"]))
    elif kind == 2:
        os.mkfifo(path)
    elif kind == 3:
        path.write_bytes(b"")
    elif kind == 4:
        path.write_bytes(b"[" * 100_000)


def odd_values(path: Path, rng: random.Random) -> None:
    """Put an odd value at some places of the data in a file of JSON or YAML."""
    is_json = path.suffix == ".json"
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if is_json else yaml.safe_load(text)
        for _ in range(rng.randrange(1, 4)):
            data = _replaced(data, rng)
        path.write_text(json.dumps(data) if is_json else yaml.safe_dump(data), encoding="utf-8")
    except (ValueError, yaml.YAMLError, RecursionError):
        damaged_bytes(path, rng)


def _replaced(data: Any, rng: random.Random) -> Any:
    """The data with an odd value at one place."""
    if not isinstance(data, dict | list) or not data or rng.random() < 0.1:
        return rng.choice(ODD)
    if isinstance(data, list):
        place = rng.randrange(len(data))
        return [*data[:place], _replaced(data[place], rng), *data[place + 1 :]]
    name = rng.choice(list(data))
    if rng.random() < 0.2:
        return {key: value for key, value in data.items() if key != name}
    return {**data, name: _replaced(data[name], rng)}


def odd_table(path: Path, rng: random.Random) -> None:
    """Give a column of a table other values or another name, or take it out."""
    try:
        table = pd.read_parquet(path)
        name = rng.choice(list(table.columns))
        kind = rng.randrange(4)
        if kind == 0:
            table = table.drop(columns=name)
        elif kind == 1:
            table = table.rename(columns={name: rng.choice(["", "number", "lr", "x" * 1000, "\x1b[2J"])})
        elif kind == 2:
            table[name] = pd.Series([rng.choice(ODD)] * len(table))
        else:
            table[name] = [rng.choice([1.5, -1.0, float("nan"), float("inf"), 1e300]) for _ in range(len(table))]
        table.to_parquet(path, index=False)
    except Exception:  # noqa: BLE001 (pandas writes no such table)
        damaged_bytes(path, rng)


def odd_array(path: Path, rng: random.Random) -> None:
    """Put another array in the place of one, or a header that lies."""
    shape = rng.choice([(), (0,), (3, 0), (1,) * 30, (2, 1, 1, 1), (3, 8, 8), (5, 2), (1, 3, 40, 4), (7,)])
    dtype = rng.choice(["<f8", "<f4", "|b1", "<i8", "|u1", "<c8", "<U3", "<M8[s]", "<f2"])
    array = (np.random.default_rng(rng.randrange(2**32)).normal(size=shape) * 10 ** rng.choice([0, 5, 30])).astype(
        "<f8"
    )
    with np.errstate(all="ignore"):
        array = array.astype(dtype) if dtype[1] in "fc" else np.zeros(shape, dtype)
    if array.dtype.kind == "f" and array.size and rng.random() < 0.5:
        array.flat[0] = rng.choice([np.nan, np.inf, -np.inf])
    with path.open("wb") as file:
        np.save(file, array)
    if rng.random() < 0.3:
        content = path.read_bytes()
        path.write_bytes(content.replace(repr(shape).encode(), rng.choice([b"(9999999999999,)", b"(-1,)", b"(2, 3)"])))


KINDS: dict[str, list[Callable[[Path, random.Random], None]]] = {
    ".json": [damaged_bytes, another_kind, odd_values, odd_values, odd_values],
    ".yaml": [damaged_bytes, another_kind, odd_values, odd_values, odd_values],
    ".parquet": [damaged_bytes, another_kind, odd_table, odd_table],
    ".npy": [damaged_bytes, another_kind, odd_array, odd_array],
}


def mutate(folder: Path, rng: random.Random) -> list[str]:
    """Change one to three files of a folder; returns how and which."""
    done = []
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in KINDS]
    for path in rng.sample(files, min(len(files), rng.choice([1, 1, 1, 2, 3]))):
        change = rng.choice(KINDS[path.suffix])
        if not path.is_symlink() and path.is_file():
            change(path, rng)
            done.append(f"{change.__name__} {path.relative_to(folder)}")
    return done


def open_all(folder: Path, with_report: bool) -> None:
    """Open a folder as the commands do."""
    study = load_study(folder)
    current = status(study)
    json.dumps(current.summary(), allow_nan=False)
    "\n".join(lines(current))
    json.dumps(study.summary(), allow_nan=False)
    repr(study)
    for format in ("yaml", "json", "python"):
        if study.choice is not None:
            study.export(None, format, anyway=True)
    if with_report:
        Study.report(study, folder / "report.html")
        Study._repr_html_(study)


def example(path: Path) -> Folder:
    """A finished sweep's folder with all files that there are."""
    folder = write_study(path, trials=4, replicas=2)
    facts = {"written": 1.9e9, "every": 2.0, "host": "there", "pid": 1, "state": "running", "slots": 2, "began": 1.9e9}
    probe = {"seed": 0, "update": 5, "p_real": 0.5, "p_fake": 0.5, "separability": 0.5}
    probe |= {"saturated_right": 0.0, "saturated_wrong": 0.0}
    trial = {"number": 9, "started": 1.9e9, "heard": 1.9e9, "updates": 5, "updates_per_second": 1.0, "distance": None}
    facts |= {"nodes": [{"node": "a", "cpus": 2, "gpus": 0}], "used": {"CPU": 1, "GPU": 0}, "patience": 600}
    facts |= {"running": [{**trial, "probe": probe}], "confirmation": {"running": 0, "done": 0, "runs": []}}
    folder.progress.write_text(json.dumps(facts))
    return folder


def outside(folder: Path) -> dict[str, int]:
    """The files beside a folder, with their sizes."""
    return {
        str(path): path.lstat().st_size
        for path in folder.parent.rglob("*")
        if not path.is_relative_to(folder) and not path.is_dir()
    }


def fuzz(
    root: Path, mutations: int, seed: int = 0, report_every: int = REPORT_EVERY
) -> tuple[Counter[str], dict[str, str]]:
    """Open so many changed folders below `root`.

    Returns how they ended, and of each kind of exception that is none of ours an example.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    lock._BEATS = 0  # a silent driver is not waited for
    whole, folder = example(root / "whole").path, root / "changed" / "folder"
    (root / "changed").mkdir()
    (root / "changed" / "outside").write_text("nobody's")
    before = outside(folder)
    ends, faults = Counter[str](), dict[str, str]()
    for number in range(mutations):
        rng = random.Random(f"{seed}-{number}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        done = mutate(folder, rng)
        try:
            open_all(folder, with_report=number % report_every == 0)
            ends["opened"] += 1
        except Exception as error:  # noqa: BLE001 (what is looked for)
            if hasattr(error, "exit_status"):
                ends["refused"] += 1
            else:
                ends["fault"] += 1
                faults.setdefault(_where(error), f"mutation {number}: {', '.join(done)}: {error!r:.200}")
        if outside(folder) != before:
            raise AssertionError(f"mutation {number} wrote outside: {', '.join(done)}")
    return ends, faults


def _where(error: Exception) -> str:
    """The type of an exception and the last line of ours that it passed."""
    trace, found = error.__traceback__, ""
    while trace:
        name = trace.tb_frame.f_code.co_filename
        if "/gansearch/" in name:
            found = f"{name.rpartition('/gansearch/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {found}"


def megabytes() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**10 if sys.platform == "linux" else 2**20)


def main() -> None:
    """Print how the mutations ended, and last a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="40 mutations")
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    mutations = 40 if given.quick else given.mutations
    warnings.simplefilter("ignore")  # of numbers out of range, in numpy and pandas
    with tempfile.TemporaryDirectory() as root:
        open_all(example(Path(root) / "first").path, with_report=True)
        begin = megabytes()
        ends, faults = fuzz(Path(root), mutations, given.seed)
    for where, example_of in sorted(faults.items()):
        print(f"{where}\n  {example_of}")
    figures = {"mutations": mutations, **ends, "kinds_of_faults": len(faults), "megabytes": round(megabytes() - begin)}
    targets = {"faults": 0, "megabytes": MOST_MEGABYTES}
    ok = not faults and figures["megabytes"] <= MOST_MEGABYTES
    print(json.dumps({"benchmark": "fuzz_folders", "figures": figures, "targets": targets, "ok": ok}))
    sys.exit(not ok)


if __name__ == "__main__":
    main()
