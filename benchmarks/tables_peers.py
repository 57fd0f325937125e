"""Trains CTGAN or TVAE on a CSV file and writes made-up rows; run by benchmarks/tables.py in an environment of its own.

    PYTHON benchmarks/tables_peers.py ctgan|tvae IN.csv OUT.csv ROWS SEED SECONDS

The environment needs the package `ctgan`, whose licence is its own. SECONDS of training, with the fit of the encoding;
0 is the package's own number of epochs. Prints one line of JSON: the seconds and the epochs. Gaps are a text of their
own in columns of few values, else the median: the package takes none.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator

FEW = 30


def main() -> None:
    name, source, target, rows, seed, seconds = sys.argv[1:]
    import ctgan.synthesizers.ctgan
    import ctgan.synthesizers.tvae
    import numpy as np
    import pandas as pd
    import torch

    torch.manual_seed(int(seed))
    np.random.seed(int(seed))
    torch.set_num_threads(1)
    frame = pd.read_csv(source)
    whole = [n for n in frame if pd.api.types.is_numeric_dtype(frame[n]) and (frame[n].dropna() % 1 == 0).all()]
    choices = [n for n in frame if not pd.api.types.is_numeric_dtype(frame[n]) or frame[n].nunique(dropna=False) <= FEW]
    for column in frame:
        if column in choices:
            frame[column] = frame[column].astype(object).where(frame[column].notna(), "gap").astype(str)
        else:
            frame[column] = frame[column].fillna(frame[column].median())
    done, start = [0], time.perf_counter()

    def epochs(numbers: Iterable[int], **given: object) -> Iterator[int]:
        """In place of tqdm in the package's loops: the epochs until the seconds are over."""
        for number in numbers:
            if float(seconds) and time.perf_counter() - start > float(seconds):
                return
            done[0] += 1
            yield number

    for module in (ctgan.synthesizers.ctgan, ctgan.synthesizers.tvae):
        module.tqdm = epochs
    make = {"ctgan": ctgan.CTGAN, "tvae": ctgan.TVAE}[name]
    model = make(epochs=10**9) if float(seconds) else make()
    model.fit(frame, choices)
    took = time.perf_counter() - start
    made = model.sample(int(rows)).replace("gap", None)
    for column in whole:
        if column not in choices:
            made[column] = made[column].round().astype(int)
    made.to_csv(target, index=False)
    print(json.dumps({"seconds": round(took, 1), "epochs": done[0]}))


if __name__ == "__main__":
    main()
