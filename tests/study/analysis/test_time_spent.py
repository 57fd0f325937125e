"""Where the time of a sweep went."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from gansearch.store.confirmation import FreshSeed, write_confirmation
from gansearch.store.folder import Folder
from gansearch.study.analysis.time_spent import by_slot, saved, used_seconds
from gansearch.study.study import Study, load_study


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def test_slots_and_what_pruning_saved(study: Study) -> None:
    slots = by_slot(study.trials)
    assert set(slots["slot"]) == {"slot 1", "slot 2"}
    for _, part in slots.groupby("slot"):
        assert (part["begin"].iloc[1:].to_numpy() >= part["end"].iloc[:-1].to_numpy() - 0.05).all()
    later = study.trials.copy()
    late = later["number"] >= 20
    for name in ("started", "ended"):
        later.loc[late, name] += pd.Timedelta(days=1)  # a sweep that was resumed the next day
    assert by_slot(later)["end"].max() < slots["end"].max() + 8
    pruned = study.trials[study.trials["status"] == "pruned"]
    found = saved(study.trials, study.experiment)
    assert found.updates == (4000 - pruned["updates"]).sum() == 3000 * len(pruned)
    # At the speed of complete trials: those that were stopped had their end, too, in fewer updates.
    assert found.seconds == pytest.approx(3000 * 8 / 4000 * len(pruned))
    alone = saved(pruned, study.experiment)
    assert alone.seconds == pytest.approx(3000 * 8 / 1000 * len(pruned))


def test_used_time_is_what_was_written_down_or_what_trials_and_fresh_seeds_took(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert used_seconds(folder) == 0
    folder.run.write_text('{"slots": 2, "wall_seconds": 60.0}')  # of an earlier version
    one = FreshSeed(seed=0, number=1, verdict="balanced", stability=0.9, distance=0.1, train_seconds=10.0)
    write_confirmation(folder, [replace(one, seed=seed) for seed in range(4)])
    assert used_seconds(folder) == 60 + 20
    folder.run.write_text('{"slots": 2, "wall_seconds": 60.0, "total_seconds": 90.0}')
    assert used_seconds(folder) == 90
    folder.run.write_text('{"slots": 2, "wall_seconds": 60.0, "total_seconds": 70.0}')  # killed while the race ran
    assert used_seconds(folder) == 80
