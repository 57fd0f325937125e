"""Replays about seeds: the interval that a sweep states of its winner, and the seeds that trials earn."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
from replay_anchors import plain_random
from replay_landscape import Landscape
from replay_searches import Confirmation, gansearch
from replay_sweep import Trial, defaults, train, train_fresh

from gansearch.experiment.sections import Confirm
from gansearch.search.worker.racing import Race
from gansearch.stability.result import SeedResult
from gansearch.stability.verdict import worst
from gansearch.store.record import median, parse

RACED = 48
"""Random configurations of each race."""


def interval(land: Landscape, sweeps: int) -> dict[str, Any]:
    """How often the interval of a whole sweep's choice holds the median of ten new seeds."""
    inside, stated = 0, 0
    for sweep in range(sweeps):
        seed = 500_000 + sweep
        search = gansearch(land, seed)
        trials = train(land, search, land.experiment.trials, seed)
        stage = search.stage(trials)
        done, _ = train_fresh(land, stage, trials, seed)
        choice = stage.choice(done)
        if choice is None or choice.interval is None:
            continue
        stated += 1
        draw = random.Random(f"new {seed}")
        new = [land.draw(trials[choice.number].params, draw).end["distance"] for _ in range(10)]
        inside += choice.interval[0] <= np.nanmedian(new) <= choice.interval[1]
    return {"interval_sweeps": stated, "covered": inside / max(1, stated)}


def racing(land: Landscape, sweeps: int) -> dict[str, Any]:
    """Random sweeps whose trials have one seed, four, or a race of them: seeds trained, and the chosen distance."""
    kinds = {"one": (1, 1), "four": (4, 4), "earned": (1, 4)}
    seeds: dict[str, list[int]] = {kind: [] for kind in kinds}
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    experiment = land.experiment.model_copy(update={"confirm": Confirm(default=False)})
    for sweep in range(sweeps):
        seed = 300_000 + sweep
        asks = plain_random(land, seed)
        drawn = [asks.ask()[1] for _ in range(RACED)]
        for kind, (least, most) in kinds.items():
            race, trials, trained = Race(top=3), [], 0
            for number, chosen in enumerate(drawn):
                draw = random.Random(f"race {seed} {number}")
                ends = [parse(SeedResult, {**land.draw(chosen, draw).end, "seed": i}) for i in range(most)]
                count = least
                while count < most and race.another(number, ends[:count]):
                    count += 1
                trained += count
                trials.append(Trial(number, chosen, count * land.updates, (), _of_seeds(ends[:count])))
            stage = Confirmation(trials, experiment)
            done, _ = train_fresh(land, stage, trials, seed)
            seeds[kind].append(trained)
            found[kind].append(land.median(stage.exported(done) or defaults(land)))
    return {
        **{f"{kind}_seeds": float(np.mean(counts) / RACED) for kind, counts in seeds.items()},
        **{f"{kind}_median": float(np.median(values)) for kind, values in found.items()},
    }


def _of_seeds(ends: list[SeedResult]) -> dict[str, Any]:
    """The end of a trial of several seeds, as `gansearch.store.record.trial_record` makes it."""
    medians = {name: median(getattr(end, name) for end in ends) for name in ("stability", "distance")}
    failed = any(end.status == "failed" for end in ends) or not math.isfinite(medians["distance"])
    return {"status": "failed" if failed else "complete", "verdict": worst(end.verdict for end in ends), **medians}
