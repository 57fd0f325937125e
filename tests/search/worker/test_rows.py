"""Trials that are rows of one process: each has the record that it has alone, and ends by itself."""

import json
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
import torch
from torch import nn

from gansearch.experiment import Experiment
from gansearch.gan import Task
from gansearch.gan.probe_schedule import probe_updates
from gansearch.interrupts import Interrupted
from gansearch.search.callbacks.listener import Listener
from gansearch.search.sweep import sweep
from gansearch.search.worker import rows as module
from gansearch.search.worker.rows import RowLink, Rows
from gansearch.search.worker.trial import TrialRun
from gansearch.store.folder import Folder

SEED_OF_FAILURE = 13


class Points(Task):
    """Draws its batches by itself, and raises after some of them for one seed."""

    latent_dim = 2

    def __init__(self):
        self.drawn = 0

    def held_out(self):
        return torch.randn(50, 2, generator=torch.Generator().manual_seed(0))

    def real_batch(self, n, generator):
        if generator.initial_seed() == SEED_OF_FAILURE:
            self.drawn += 1
            if self.drawn > 30:
                raise RuntimeError("no such luck")
        return torch.randn(n, 2, generator=generator)

    def generator(self):
        return nn.Linear(2, 2)

    def discriminator(self):
        return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))


class Answered(RowLink):
    """A row's link to a worker that answers at once: `reach` with what stops the trials of some numbers."""

    def __init__(self, rows, number, stopped):
        self._rows, self._reason = rows, "it is behind" if number in stopped else ""

    def __call__(self, name, *args):
        with self._rows.away():
            return (self._reason, False) if name == "reach" else ""


def experiment(**fields):
    plain = {"name": "points", "task": "tests.search.worker.test_rows:Points", "prune": False, "confirm": None}
    return Experiment.parse({**plain, **fields, "training": {"updates": 120, "batch_size": 8, **fields["training"]}})


def trained(wanted, configurations, rows=None, stopped=(), late=()):
    """The runs of configurations, in one process where `rows` is given; those in `late` begin after some probes."""
    begun, runs = threading.Event(), {}

    def train(number, params):
        run = runs[number] = TrialRun(wanted, {"number": number, "params": params, **seeds(params)}, 1, 0)
        if number in late:
            begun.wait(30)
        process = rows or Rows()
        with process.running():
            run.link = Answered(process, number, stopped)
            for count, _ in enumerate(run.train()):
                if count == 5:
                    begun.set()

    def seeds(params):
        return {"seed": params.pop("seed")} if "seed" in params else {}

    with ThreadPoolExecutor(len(configurations) if rows else 1) as pool:
        for future in [pool.submit(train, n, dict(params)) for n, params in enumerate(configurations)]:
            future.result(60)
    return [runs[number] for number in range(len(configurations))]


@pytest.fixture
def widths(monkeypatch):
    """How many trainers were at once, each time that some were updated."""
    found, together = [], module.together
    monkeypatch.setattr(module, "together", lambda trainers: found.append(len(trainers)) or together(trainers))
    return found


def same(alone, at_once):
    (one,), (other,) = alone.seeds, at_once.seeds
    assert (one.status, one.verdict, one.updates) == (other.status, other.verdict, other.updates)
    assert other.distance == pytest.approx(one.distance, rel=1e-3)
    assert other.stability == pytest.approx(one.stability, abs=1e-3)
    assert at_once.samples == pytest.approx(alone.samples, abs=1e-3)
    for name, least in (("loss_d", None), ("grad_norm_g", 1e-5)):  # by update: a failure tells since when they differ
        one, other = ({row["update"]: row[name] for row in run.rows} for run in (alone, at_once))
        assert other == pytest.approx(one, rel=1e-3, abs=least, nan_ok=True)


CONFIGURATIONS = [
    {"lr": 1e-3, "seed": 3},
    {"lr": 3e-3, "update_ratio": 2.5, "r1_gamma": 1.0},
    {"lr": 1e-4, "pretrain_steps": 10, "betas": (0.0, 0.9)},
    {"lr": 2e-3, "batch_size": 16},
    {"lr": 2e-3, "batch_size": 16, "seed": 4},
]


def test_trials_at_once_have_the_records_that_they_have_alone_wherever_they_begin(widths):
    wanted = experiment(training={})
    alone = trained(wanted, CONFIGURATIONS)
    assert not widths
    at_once = trained(wanted, CONFIGURATIONS, Rows(), late={2})
    assert {2, 3} & set(widths)
    for one, other in zip(alone, at_once, strict=True):
        assert other.apart == other.error == ""
        same(one, other)


def test_several_seeds_of_several_trials_are_at_once(widths):
    wanted = experiment(training={}, replicas=2)
    alone, at_once = (trained(wanted, CONFIGURATIONS[1:3], rows) for rows in (None, Rows()))
    assert set(widths) == {4}
    for one, other in zip(alone, at_once, strict=True):
        for a, b in zip(one.seeds, other.seeds, strict=True):
            assert (a.seed, a.updates) == (b.seed, b.updates)
            assert b.distance == pytest.approx(a.distance, rel=1e-3)


def test_a_trial_that_raises_or_diverges_or_is_stopped_ends_alone(widths):
    wanted = experiment(training={}, prune=True)
    others = [{"lr": 1e30}, {"lr": 1e-3, "seed": SEED_OF_FAILURE}, {"lr": 1e-3, "seed": 5}]
    configurations = [*CONFIGURATIONS[:2], *others]
    alone = trained(wanted, configurations)
    good, other, diverged, raised, stopped = trained(wanted, configurations, Rows(), stopped={4})
    same(alone[0], good)
    same(alone[1], other)
    assert (good.error, other.error, other.apart) == ("", "", "")
    assert diverged.seeds[0].status == "failed"
    assert raised.error.strip().endswith("RuntimeError: no such luck")
    assert raised.seeds == []
    assert stopped.seeds[0].status == "pruned"
    assert stopped.seeds[0].updates < 120


def test_trials_that_cannot_be_at_once_are_trained_alone_and_say_why_where_that_was_asked_for(widths, monkeypatch):
    held = experiment(training={"balance": "held"}, resources={"stack": 2})
    alone, at_once = (trained(held, CONFIGURATIONS[:2], rows) for rows in (None, Rows()))
    for one, other in zip(alone, at_once, strict=True):
        same(one, other)
    assert not widths
    assert at_once[1].remark == "was not trained at once with others: balance: held decides for each run by itself"
    auto = experiment(training={"balance": "held"}, resources={"stack": "auto"})
    assert trained(auto, CONFIGURATIONS[:2], Rows())[1].remark == ""

    def broken(trainers):
        raise MemoryError("no room for both. Sorry")

    monkeypatch.setattr(module, "together", broken)
    for one, other in zip(trained(held, CONFIGURATIONS[:2]), trained(held, CONFIGURATIONS[:2], Rows()), strict=True):
        same(one, other)
    wanted = experiment(training={}, resources={"stack": 2})
    failed = trained(wanted, CONFIGURATIONS[:2], Rows())
    assert [run.error for run in failed] == ["", ""]
    assert failed[0].remark == "was not trained at once with others: MemoryError: no room for both"


def swept(make, path, **fields):
    records = sweep(make(limits={}, prune=False, **fields), path).records
    return {record.number: record for record in records}


def test_a_sweep_has_the_records_that_it_has_with_a_process_for_each_trial(ray_session, tiny, tmp_path):
    alone, at_once = (swept(tiny, tmp_path / str(n), trials=6, resources={"stack": n}) for n in (1, 3))
    run = json.loads((tmp_path / "3" / "run.json").read_text())
    assert run["stack"]["at_once"] == 3
    assert run["slots"] == 3 * json.loads((tmp_path / "1" / "run.json").read_text())["slots"]
    assert [record.status for record in at_once.values()] == ["complete"] * 6
    for number, record in alone.items():
        assert at_once[number].params == record.params
        assert at_once[number].distance == pytest.approx(record.distance, rel=1e-3)
        assert len(pd.read_parquet(Folder(tmp_path / "3").curves)) == len(
            pd.read_parquet(Folder(tmp_path / "1").curves)
        )


@pytest.mark.parametrize(("does", "others"), [("die", []), ("raise", ["failed"])])
def test_a_trial_may_take_its_process_with_it_or_raise_and_the_others_go_on(ray_session, tiny, tmp_path, does, others):
    # Of a process that ends all trials are tried again alone, the one that ended it too.
    records = swept(tiny, tmp_path / "out", does={"3": does}, trials=5, seconds=0.4, resources={"stack": 2})
    assert sorted(record.status for record in records.values()) == ["complete"] * (5 - len(others)) + others


def test_trials_at_once_go_on_in_a_resumed_sweep(ray_session, tiny, tmp_path):
    late = set()

    class Cut(Listener):
        def probes(self, number, rows):
            if rows[-1]["update"] >= 60 and list((tmp_path / "out" / "trials").glob(f"ray/{number:05d}/checkpoint_*")):
                late.add(number)
            if len(late) == 2:
                signal.raise_signal(signal.SIGINT)

    wanted = tiny(seconds=2.0, trials=2, limits={}, prune=False, checkpoints={"seconds": 0.1}, resources={"stack": 2})
    wanted = wanted.model_copy(update={"task": wanted.task.replace(":Tiny", ":Saved")})
    with pytest.raises(Interrupted):
        sweep(wanted, tmp_path / "out", listeners=[Cut()])
    looks = tmp_path / "turns" / "looks"
    before = len(looks.read_text().splitlines())
    records = sweep(wanted, tmp_path / "out", resume=True).records
    assert [record.status for record in records] == ["complete"] * 2
    assert len(looks.read_text().splitlines()) <= before + 4
    updates = pd.read_parquet(Folder(tmp_path / "out").curves).groupby("number")["update"]
    assert [one.tolist() for _, one in updates] == [probe_updates(80)] * 2


def test_a_process_whose_gpu_is_broken_ends_so_that_each_trial_is_tried_again_alone(monkeypatch):
    ended = []
    monkeypatch.setattr(module.os, "_exit", ended.append)
    module._end_if_broken()
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    module._end_if_broken()
    assert ended == []

    def broken():
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(torch.cuda, "synchronize", broken)
    module._end_if_broken()
    assert ended == [module._BROKEN]
