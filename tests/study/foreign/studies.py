"""Studies of somebody else: Optuna's in files, and a folder as Ray Tune leaves it, with pickles that do harm."""

import json
import math
import pickle
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from gansearch.stability.verdict import VERDICTS


class Harm:
    """What writes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def journal(path: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(path)))


def sqlite(path: Path) -> str:
    return f"sqlite:///{path}"


def objective(trial):
    """A value alone, with parameters that depend on others, and trials that are pruned or raise."""
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    loss = trial.suggest_categorical("loss", ["hinge", None, 2])
    layers = trial.suggest_int("layers", 1, 5) if loss == "hinge" else 1
    trial.report(9.0, 1)
    if trial.number % 6 == 4:
        raise optuna.TrialPruned
    if trial.number == 8:
        raise RuntimeError("CUDA out of memory <script>alert(1)</script>")
    return abs(math.log10(lr / 1e-3)) + 0.1 * layers


def judged(trial):
    """As `objective`, with the attributes that StabilityObjective sets."""
    value = objective(trial)
    trial.set_user_attr("stability", 1 / (1 + value))
    trial.set_user_attr("verdict", "balanced" if value < 1.2 else "collapsed")
    trial.set_user_attr("updates", 1000)
    trial.set_constraint("unhealthy", 0.0 if value < 1.2 else 0.5)
    return value


def filled(storage, name="celeba", trials=24, train=objective, **options):
    study = optuna.create_study(
        study_name=name, storage=storage, sampler=optuna.samplers.RandomSampler(0), load_if_exists=True, **options
    )
    study.optimize(train, n_trials=trials, catch=RuntimeError)
    return study


def tune_folder(path: Path, harmed: Path, trials=6, state=True, metrics=("fid",), verdicts=True) -> Path:
    """Write what Ray Tune leaves: params.json, result.json, progress.csv, states and pickles."""
    data = []
    for number in range(trials):
        folder = path / f"train_{9 - number}abc_{number + 1}_lr=0.1_2026-11-29"
        folder.mkdir(parents=True)
        config = {"opt": {"lr": 10.0 ** (-1 - number), "betas": [0.5, 0.9]}, "loss": "hinge", "seed": number}
        (folder / "params.json").write_text(json.dumps(config))
        (folder / "params.pkl").write_bytes(pickle.dumps(Harm(harmed)))
        last = {
            **{metric: abs(number - 3) + 0.5 for metric in metrics},
            "training_iteration": 5,
            "time_total_s": 20.0,
            "timestamp": 1_790_000_000 + 30 * number,
            "trial_id": f"{number}a",
            "node_ip": "10.0.0.1",
            "experiment_tag": f"{number + 1}_lr=0.1",
            "grad": math.nan,
            "config": config,
            "done": True,
        }
        if verdicts:
            last |= {"stability": 0.5, "verdict": "balanced" if number < 3 else "collapsed", "healthy": 1.0}
            last |= {"verdict_number": float(VERDICTS.index("balanced")), "hopeless": float(number == 5)}
        lines = [json.dumps({**last, "fid": 99.0}), json.dumps(last), '{"fid": 1.5, "cut o']
        (folder / "result.json").write_text("\n".join(lines))
        status = "ERROR" if number == 1 else "RUNNING" if number == 4 else "TERMINATED"
        if status == "ERROR":
            frame = '  File "a.py", line 3, in train\n    raise\n'
            (folder / "error.txt").write_text(f"Failure # 1\nray::train()\n{frame}RuntimeError: out of memory\n")
        trial = {
            "trial_id": f"{number}a",
            "status": status,
            "storage": {"_type": "CLOUDPICKLE_FALLBACK", "value": pickle.dumps(Harm(harmed)).hex()},
        }
        data.append([json.dumps(trial), "{}"])
    if state:
        (path / "experiment_state-2026-11-29_10-00-00.json").write_text(json.dumps({"trial_data": data}))
    for name in ("tuner.pkl", "trainable.pkl", "searcher-state-1.pkl", "callback-states-1.pkl"):
        (path / name).write_bytes(pickle.dumps(Harm(harmed)))
    return path
