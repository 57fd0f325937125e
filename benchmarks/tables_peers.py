"""Trains CTGAN or TVAE on a CSV file and writes made-up rows; run by benchmarks/tables.py in an environment of its own.

    PYTHON benchmarks/tables_peers.py ctgan|tvae IN.csv OUT.csv ROWS SEED SECONDS

The environment needs the package `ctgan`, whose licence is its own. SECONDS of training; 0 is the package's own number
of epochs. Prints one line of JSON: the seconds and the epochs. Gaps are a text of their own in columns of few values,
else the median: the package takes none.
"""

from __future__ import annotations

import json
import sys
import time

FEW = 30


def main() -> None:
    name, source, target, rows, seed, seconds = sys.argv[1:]
    import numpy as np
    import pandas as pd
    import torch
    from ctgan import CTGAN, TVAE

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
    make = {"ctgan": CTGAN, "tvae": TVAE}[name]
    epochs, start = 300, time.perf_counter()
    if float(seconds):
        make(epochs=1).fit(frame, choices)  # the transformers' fit and an epoch
        one = time.perf_counter() - start
        start = time.perf_counter()
        make(epochs=3).fit(frame, choices)
        epoch = max(1e-3, (time.perf_counter() - start - one) / 2)
        epochs = max(1, round((float(seconds) - (one - epoch)) / epoch))
    torch.manual_seed(int(seed))
    model, start = make(epochs=epochs), time.perf_counter()
    model.fit(frame, choices)
    took = time.perf_counter() - start
    made = model.sample(int(rows)).replace("gap", None)
    for column in whole:
        if column not in choices:
            made[column] = made[column].round().astype(int)
    made.to_csv(target, index=False)
    print(json.dumps({"seconds": round(took, 1), "epochs": epochs}))


if __name__ == "__main__":
    main()
