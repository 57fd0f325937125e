"""A small results folder that no GAN was trained for, written through the same functions as a sweep's."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from gansearch.experiment import Experiment
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import FreshSeed, write_confirmation, write_default
from gansearch.store.folder import Folder, write_array, write_whole
from gansearch.store.nan_json import to_json
from gansearch.store.record import TrialRecord, trial_columns, trial_record
from gansearch.store.tables import write_tables
from gansearch.store.trial_files import CURVE_COLUMNS, write_trial

SEARCH: dict[str, Any] = {
    "lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "lr_ratio": {"low": 0.05, "high": 20, "log": True},
    "pretrain_steps": {"low": 0, "high": 1000},
    "update_ratio": {"low": 0.2, "high": 5, "log": True},
    "r1_gamma": {"choices": [0.0, 0.1, 1.0]},
}
RAISED = """  File "failing.py", line 11, in quality
    raise RuntimeError("the judge is not at home")
RuntimeError: the judge is not at home"""
"""What a trial leaves whose task has raised."""
START = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
SENTENCES = {
    "diverged": "The loss of D became NaN at update 340.",
    "discriminator_saturated": "D was certain and right about 81% of the samples in the last 1,800 updates.",
    "generator_dominates": "D was certain and wrong about 44% of the samples over the last 1,800 updates.",
    "uninformative": "D cannot tell real from fake (separability 0.51), yet a fresh D can (0.98).",
    "oscillating": "D's separability swung between 0.35 and 0.97 in 9 windows.",
    "balanced": "D answers 0.62 for real and 0.41 for fake samples, and a fresh D does no better.",
}


def experiment(name: str = "digits", **fields: Any) -> Experiment:
    plain = {"name": name, "task": "digits", "trials": 40, "search": SEARCH, "objective": "both"}
    return Experiment.parse({**plain, **fields})


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """One configuration of the search space."""
    return {
        "lr": math.exp(rng.uniform(math.log(1e-4), math.log(1e-2))),
        "lr_ratio": math.exp(rng.uniform(math.log(0.05), math.log(20))),
        "pretrain_steps": int(rng.integers(0, 1001)),
        "update_ratio": math.exp(rng.uniform(math.log(0.2), math.log(5))),
        "r1_gamma": float(rng.choice([0.0, 0.1, 1.0])),
    }


def verdict_of(params: dict[str, Any]) -> str:
    strength = math.log(params["lr_ratio"]) + math.log(params["update_ratio"]) - 0.6 * params["r1_gamma"]
    if params["lr"] > 7e-3:
        return "diverged"
    if strength > 2:
        return "discriminator_saturated"
    if strength < -2.5:
        return "generator_dominates"
    if params["lr"] < 2e-4:
        return "uninformative"
    return "oscillating" if params["r1_gamma"] == 0 and params["lr"] > 2e-3 else "balanced"


def seed_result(params: dict[str, Any], seed: int, rng: np.random.Generator) -> SeedResult:
    """What one seed of a trial leaves, with numbers that fit its verdict."""
    verdict = verdict_of(params)
    strength = math.log(params["lr_ratio"] * params["update_ratio"])
    diverged = verdict == "diverged"
    pruned = verdict in ("discriminator_saturated", "generator_dominates") and rng.random() < 0.4
    stability = 0.0 if diverged else float(np.clip(0.9 - 0.25 * abs(strength) + rng.normal(0, 0.04), 0.02, 0.99))
    stability = 0.6 + 0.4 * stability if verdict == "balanced" else 0.6 * stability
    edge = abs(math.log(params["lr"] / 1e-3))
    distance = math.nan if diverged else float((1.2 - stability + 0.1 * edge) * 30 * math.exp(rng.normal(0, 0.1)))
    return SeedResult(
        seed=seed,
        status="failed" if diverged else "pruned" if pruned else "complete",
        error="diverged: loss_d is NaN at update 340" if diverged else "",
        verdict=verdict,
        sentence=SENTENCES[verdict],
        stability=stability,
        distance=distance,
        quality={} if diverged else {"distance": distance, "coverage": stability * 0.9, "label_kl": 0.2 / stability},
        saturated_right=0.8 if verdict == "discriminator_saturated" else 0.05,
        saturated_wrong=0.4 if verdict == "generator_dominates" else 0.01,
        separability=float(1 / (1 + math.exp(-strength - 0.5))),
        referee_gap=0.1,
        updates=340 if diverged else 1000 if pruned else 4000,
        train_seconds=8.0,
    )


def a_record(
    number: int = 0,
    status: str = "complete",
    verdict: str | None = "balanced",
    stability: float = 0.5,
    distance: float = 1.0,
    **fields: Any,
) -> TrialRecord:
    """A record without seeds, for what reads its numbers alone."""
    known = {"params": {}, "started": START, "ended": START, "node": "10.0.0.1", **fields}
    return TrialRecord(number=number, status=status, verdict=verdict, stability=stability, distance=distance, **known)


def curve(number: int, params: dict[str, Any], result: SeedResult, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The probes of one seed, every 200 updates."""
    edge = math.tanh(math.log(params["lr_ratio"] * params["update_ratio"]) / 2)
    rows = []
    for update in range(0, result.updates + 1, 200):
        t = 1 - math.exp(-update / 800)
        p_real = float(np.clip(0.5 + 0.45 * edge * t + 0.1 * t + rng.normal(0, 0.02), 0.01, 0.99))
        rows.append(
            {
                "number": number,
                "seed": result.seed,
                "update": update,
                "loss_d": 1.4 - edge * t,
                "loss_g": 0.7 + edge * t,
                "p_real": p_real,
                "p_fake": float(np.clip(1 - p_real + rng.normal(0, 0.02), 0.01, 0.99)),
                "saturated_right": result.saturated_right * t,
                "saturated_wrong": result.saturated_wrong * t,
                "separability": 0.5 + (result.separability - 0.5) * t,
                "grad_norm_d": 1.0 + float(rng.random()),
                "grad_norm_g": 0.5 + float(rng.random()),
                "distance": result.distance if update % 1000 == 0 else math.nan,
            }
        )
    return rows


def pictures(rng: np.random.Generator, noise: float = 0.1, n: int = 64) -> np.ndarray:
    """(n, 1, 8, 8) real handwritten digits in [-1, 1] with some noise, as a generator's samples."""
    from sklearn.datasets import load_digits

    images = load_digits().images[rng.integers(0, 1797, n)] / 8 - 1
    return np.clip(images + rng.normal(0, noise, images.shape), -1, 1).astype("float32")[:, None]


def confirm(params: dict[str, Any], number: int, seeds: int = 5, seed: int = 10_000) -> list[FreshSeed]:
    """What `confirmation.json` holds of one candidate."""
    rng = np.random.default_rng(number + 7)
    return [FreshSeed(number=number, **asdict(seed_result(params, seed + i, rng))) for i in range(seeds)]


DEFAULT = {"lr": 2e-4, "lr_ratio": 1.0, "pretrain_steps": 0, "update_ratio": 1.0, "r1_gamma": 0.0}
"""The settings of an experiment that searches nothing."""


def race(trials: pd.DataFrame, spec: Experiment, drawn: dict[int, dict[str, Any]]) -> list[FreshSeed]:
    """The results of a race of some trials, one run after the other, and of the default settings."""
    from gansearch.study.analysis.race import next_runs, rules_of

    results: list[FreshSeed] = []
    while runs := next_runs(trials, results, [], rules_of(spec, trials)):
        number, seed = runs[0]
        params = DEFAULT if number is None else drawn[number]
        result = confirm(params, number or 0)[seed - spec.seed - 10_000]
        results.append(replace(result, number=number))
    return results


def confirm_default(folder: Folder, seeds: list[FreshSeed], rng: np.random.Generator, samples: bool) -> None:
    """Writes what a confirmation leaves of the default settings."""
    write_default(folder, seeds)
    if samples:
        folder.record(None).mkdir(parents=True)
        write_array(folder.record(None) / "confirmed.npy", pictures(rng, 0.5))


def write_study(
    path: Path,
    trials: int = 40,
    name: str = "digits",
    confirmed: bool = True,
    replicas: int = 1,
    only: str | None = None,
    error: str = "",
    samples: bool = True,
    failing: int = 1,
) -> Folder:
    """Writes a finished sweep. `only`: the verdict of every trial; `error`: what the first `failing` ones fail with."""
    rng = np.random.default_rng(0)
    folder, spec = Folder(path), experiment(name, replicas=replicas)
    folder.create(spec)
    study = optuna.create_study(
        study_name=name,
        storage=JournalStorage(JournalFileBackend(str(folder.journal))),
        directions=["maximize", "minimize"],
    )
    distributions = _distributions()
    records, drawn = [], {}
    for number in range(trials):
        params = draw(rng)
        while only and verdict_of(params) != only:
            params = draw(rng)
        drawn[number] = params
        broken = error if number < failing else ""
        seeds = [] if broken else [seed_result(params, spec.seed + i, rng) for i in range(replicas)]
        begin = START + timedelta(seconds=4 * number)
        record = trial_record(
            number,
            spec,
            params,
            seeds,
            started=begin,
            ended=begin + timedelta(seconds=8),
            node="10.0.0.1",
            error=broken,
        )
        probes = [probe for seed in seeds for probe in curve(number, params, seed, rng)]
        healthy = record.verdict == "balanced"
        kept = pictures(rng, 0.1 if healthy else 0.8) if samples and record.status == "complete" else None
        write_trial(folder, record, probes, kept)
        failed = record.status == "failed"
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
                params=params,
                distributions=distributions,
                values=None if failed else [record.stability, record.distance],
            )
        )
        records.append(record)
    write_tables(folder, spec.search, records)
    if confirmed:
        results = race(pd.read_parquet(folder.trials), spec, drawn) if records else []
        write_confirmation(folder, [seed for seed in results if seed.number is not None])
        if results:
            confirm_default(folder, [seed for seed in results if seed.number is None], rng, samples)
    write_whole(
        folder.run,
        to_json(
            {
                "slots": 2,
                "wall_seconds": 4.0 * trials + 4,
                "versions": {"gansearch": "0.1.0", "torch": "2.13.0", "ray": "2.60.0", "optuna": "5.0.0"},
                "hardware": "2 CPU cores, no GPU",
                "command": "gansearch sweep experiments/digits.yaml",
            }
        ),
    )
    return folder


def write_many(path: Path, trials: int) -> Folder:
    """Writes the tables of a long sweep, without records or samples."""
    rng = np.random.default_rng(0)
    folder, spec = Folder(path), experiment("many", trials=trials)
    folder.create(spec)
    folder.journal.touch()
    rows, probes = [], []
    for number in range(trials):
        params = draw(rng)
        seed = seed_result(params, spec.seed, rng)
        begin = START + timedelta(seconds=8 * (number // 4) + 2 * (number % 4))
        times = {"started": begin, "ended": begin + timedelta(seconds=8), "node": "10.0.0.1"}
        rows.append(trial_record(number, spec, params, [seed], **times).row)
        probes += curve(number, params, seed, rng)
    table = pd.DataFrame(rows, columns=trial_columns(spec.search))
    write_whole(folder.trials, lambda file: table.to_parquet(file, index=False))
    curves = pd.DataFrame(probes, columns=list(CURVE_COLUMNS))
    write_whole(folder.curves, lambda file: curves.to_parquet(file, index=False))
    return folder


def _distributions() -> dict[str, Any]:
    kinds = optuna.distributions
    found: dict[str, Any] = {}
    for name, entry in SEARCH.items():
        if "choices" in entry:
            found[name] = kinds.CategoricalDistribution(entry["choices"])
        elif name == "pretrain_steps":
            found[name] = kinds.IntDistribution(entry["low"], entry["high"])
        else:
            found[name] = kinds.FloatDistribution(entry["low"], entry["high"], log=True)
    return found
