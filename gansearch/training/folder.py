"""What `gansearch train --out` leaves: a folder for each seed, from which a run that was cut short goes on.

experiment.yaml                     what is trained
format.json                         the version of this format
seed-20000/checkpoint.pt            the run as it stood at most half a minute ago, or at its end
seed-20000/result.json              its judgement; there once it is finished
seed-20000/samples.npy              2,000 fakes in data units, (2000, ...)
seed-20000/samples.png              the same as one opens them: sample-00.wav and its next, samples.txt or samples.csv
                                    where they are sounds, texts or a table
seed-20000/curves.parquet           its probes
seed-20000/generator.safetensors    G's weights (their average where there is one)
seed-20000/generator.pt2            G as a program that torch alone loads, where torch.export can make one; with what
                                    its task undoes, so that it gives data units

A training loop of the user's own keeps its generator to itself: in place of the last two there is checkpoint/, what it
has saved, and samples.npy holds the samples that it reported last.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save
from torch import nn

from gansearch.experiment import Experiment, ExperimentError
from gansearch.gan import Probe, Result, SeedTrainer
from gansearch.gan.sample_display import shown_of, undone
from gansearch.gan.task import Trainable
from gansearch.interrupts import Interrupts
from gansearch.rendering.render import files
from gansearch.store.folder import check_format, write_array, write_format, write_whole
from gansearch.store.nan_json import from_json, to_json
from gansearch.store.record import parse
from gansearch.store.samples import Kept

SAMPLES = 2_000
"""Fakes that are written for each seed."""
SAVE_SECONDS = 30.0
"""Between checkpoints: as much work an end without warning may cost, or that of one probe."""
_REASON = 200
"""Characters of torch's own words at most."""
_ASKED = ("task", "task_options", "seed", "training", "params")
"""The sections of an experiment on which a run depends."""


class TrainedFolder:
    """The folder of a training of one configuration."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.experiment = self.path / "experiment.yaml"

    def begin(self, experiment: Experiment, resume: bool) -> None:
        """Makes the folder. Raises ExperimentError where it holds a training and `resume` was not asked for, where
        that training is of something else, and where nothing can be written. Raises StudyError for a later format."""
        begun = self.experiment.is_file()
        if begun:
            check_format(self.path)
            if not resume:
                raise self._refusal("holds a training already; go on with it by --resume, or choose another --out")
            if next(self.path.glob("seed-*/checkpoint.pt"), None):  # else nothing has been trained
                self._compare(Experiment.load(self.experiment), experiment)
        with _writing(self.path):
            if not begun:
                write_format(self.path)
            write_whole(self.experiment, experiment.to_yaml())

    def _compare(self, before: Experiment, now: Experiment) -> None:
        """Only the budget may differ, and only be larger."""
        old, new = (
            {name: value for name in _ASKED for name, value in _flat(name, e.model_dump(mode="json")[name])}
            for e in (before, now)
        )
        changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
        if changed == ["training.updates"]:
            if new["training.updates"] > old["training.updates"]:
                return
            raise self._refusal(
                f"holds a training of {old['training.updates']:,} updates, which does not become one of "
                f"{new['training.updates']:,}; choose another --out"
            )
        if changed:
            shown = "\n".join(f"  {name}: {old.get(name)} -> {new.get(name)}" for name in changed)
            raise self._refusal(f"holds a training of something else, so choose another --out:\n{shown}")

    def _refusal(self, text: str) -> ExperimentError:
        return ExperimentError(str(self.path), {"": text})

    def seed(self, seed: int, updates: int) -> SeedFolder:
        """The part of one seed, which is finished after so many updates."""
        return SeedFolder(self.path / f"seed-{seed}", updates)


class SeedFolder:
    """What one seed leaves."""

    def __init__(self, path: Path, updates: int):
        self.path, self.updates = path, updates
        self._result, self._checkpoint, self._samples = (
            path / "result.json",
            path / "checkpoint.pt",
            path / "samples.npy",
        )

    def finished(self) -> Result | None:
        """Its result, if it has been trained to its end."""
        try:
            kept = from_json(self._result.read_text(encoding="utf-8"))
            if kept["budget"] < self.updates:
                return None
            return parse(Result, {**kept, "samples": np.load(self._samples, allow_pickle=False, mmap_mode="r")})
        except (OSError, ValueError, TypeError, KeyError):
            return None  # not there, or not whole: it is trained from its checkpoint

    def train(self, trainer: SeedTrainer, watch: Callable[[Probe], None]) -> Result:
        """Trains to the end, from the checkpoint if there is one, and writes everything.

        After a Ctrl-C it goes on to the next probe, saves itself there, and raises KeyboardInterrupt. Raises
        ExperimentError where nothing can be written.
        """
        probes = self._restore(trainer)
        with Interrupts() as interrupts:
            for probe in _run(trainer, lambda: self._save(trainer, probes)):
                probes.append(dataclasses.asdict(probe))
                watch(probe)
                if interrupts.requested:
                    self._save(trainer, probes)
                    raise KeyboardInterrupt
        result = trainer.result()
        self._save(trainer, probes)
        with _writing(self.path):
            self._write(trainer, probes)
            kept = dataclasses.asdict(result.without_samples())
            write_whole(self._result, to_json({**kept, "budget": self.updates}))  # last: all else is there then
        return result

    def _restore(self, trainer: SeedTrainer) -> list[dict[str, Any]]:
        if not self._checkpoint.is_file():
            return []
        try:
            state = torch.load(self._checkpoint, weights_only=True, map_location="cpu")
            trainer.load_state(state["trainer"])
            probes: list[dict[str, Any]] = from_json(state["probes"])
        except Exception as error:  # noqa: BLE001 (torch has no class for a file cut short, or for networks that have changed)
            why = " ".join(str(error).split())[:_REASON]
            text = f"does not fit the networks, or is not whole; delete it to begin this seed anew ({why})"
            raise ExperimentError(str(self._checkpoint), {"": text}) from None
        return probes

    def _save(self, trainer: SeedTrainer, probes: list[dict[str, Any]]) -> None:
        state = {"trainer": trainer.state(), "probes": to_json(probes)}
        with _writing(self.path):
            write_whole(self._checkpoint, lambda file: torch.save(state, file))

    def _write(self, trainer: SeedTrainer, probes: list[dict[str, Any]]) -> None:
        curves = pd.DataFrame(probes).drop(columns="outputs", errors="ignore")  # counts are no curve
        write_whole(self.path / "curves.parquet", lambda file: curves.to_parquet(file, index=False))
        samples = undone(trainer.task, trainer.samples(SAMPLES).cpu().numpy())
        self._write_samples(Kept(samples, shown_of(trainer.task, samples)))
        trainer.copy_files(self.path / "checkpoint")
        if (generator := trainer.final_generator()) is not None:
            self._write_generator(generator, trainer.task)

    def _write_generator(self, generator: nn.Module, task: Trainable) -> None:
        network = copy.deepcopy(generator).cpu().eval()
        weights = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
        write_whole(self.path / "generator.safetensors", save(weights))
        undo = task.undo()
        whole = network if undo is None else nn.Sequential(network, undo)
        if program := exported(whole, task.latent_dim):
            write_whole(self.path / "generator.pt2", program)

    def _write_samples(self, samples: Kept) -> None:
        write_array(self._samples, samples.array)
        for name, content in files(samples).items():
            write_whole(self.path / name, content)


def exported(network: nn.Module, latent_dim: int) -> bytes | None:
    """A generator as torch.export's program for any number of samples; None where torch cannot make one of it."""
    logging.getLogger("torch._export").setLevel(logging.ERROR)
    samples = torch.export.Dim("samples")
    content = io.BytesIO()
    try:
        program = torch.export.export(network, (torch.randn(2, latent_dim),), dynamic_shapes=({0: samples},))
        torch.export.save(program, content)
    except Exception:  # noqa: BLE001 (a user's network may do anything; its weights are there)
        return None
    return content.getvalue()


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """For what writes into a folder, which is made. Raises ExperimentError where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise ExperimentError(str(folder), {"": f"cannot be written ({error.strerror or error})"}) from None


def _run(trainer: SeedTrainer, save: Callable[[], None]) -> Iterator[Probe]:
    """The trainer's probes, saving it now and then between two of them."""
    saved = time.monotonic()
    for probe in trainer.run():
        yield probe
        if time.monotonic() - saved >= SAVE_SECONDS:
            save()
            saved = time.monotonic()


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    else:
        yield name, value
