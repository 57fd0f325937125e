"""The files that `gansearch train --out` writes: one folder per seed, from which an interrupted run continues.

experiment.yaml                     the experiment that is trained
format.json                         the version of this format
seed-20000/checkpoint.pt            the state of the run, at most 30 seconds old, or at its end
seed-20000/result.json              the result; it exists once the run has ended
seed-20000/samples.npy              2,000 fakes in the units of the data, (2000, ...)
seed-20000/conditions.npy           the conditions of these fakes, where the GAN has some, (2000, ...)
seed-20000/samples.png              some of them as a picture; sample-00.wav and so on for sounds, samples.txt for
                                    texts, samples.csv for a table, as its own file is written; samples.parquet too
                                    where that is one
seed-20000/moments.npy              of pictures and points, samples of the same latents at seven moments, (7, K, ...),
                                    and moments.json with their updates
seed-20000/curves.parquet           the probes
seed-20000/generator.safetensors    G's weights, averaged if the experiment says so
seed-20000/generator-best.safetensors
                                    G's weights when a measured distance was smallest
seed-20000/generator.pt2            G as a program that needs torch alone and gives samples in the units of the data,
                                    if torch.export can make one; with conditions it takes them beside the latents

A user's training loop does not hand over its generator. In place of the last two files there is checkpoint/, with what
the loop saved, and samples.npy holds the samples that it reported last.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save
from torch import nn

from gansearch.experiment import Experiment, ExperimentError, masked_data
from gansearch.gan import Probe, Result, SeedTrainer
from gansearch.gan.moments import Moments
from gansearch.gan.networks import WithoutLatents
from gansearch.gan.sample_display import display_of, files_of, undone
from gansearch.rendering.render import files
from gansearch.signals import Interrupts
from gansearch.stability.result import SeedResult
from gansearch.store.containment import read_text
from gansearch.store.folder import as_begun, check_format, check_links, write_array, write_format, write_whole
from gansearch.store.lock import held
from gansearch.store.nan_json import from_json, to_json
from gansearch.store.numbers_file import read_array
from gansearch.store.record import parse
from gansearch.store.samples import SampleSet, write_moments
from gansearch.training.best import BestMoment, Compared

SAMPLES = 2_000
"""The number of fakes that are written per seed."""
SAVE_SECONDS = 30.0
"""Time between two checkpoints: the work that is lost if the process is killed."""
_REASON_CHARACTERS = 200
"""The length at which torch's error messages are cut off."""
_SECTIONS = ("task", "task_options", "seed", "training", "params", "keep")
"""The sections of an experiment on which a run depends."""


class TrainedFolder:
    """The folder of one configuration's training."""

    def __init__(self, path: str | Path):
        """The folder need not exist."""
        self.path = Path(path)
        self.experiment = self.path / "experiment.yaml"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other trainings out of the folder. Raises StudyError if one is writing to it."""
        file = self.path / ".lock"
        with held(file, self.path, "training"):
            try:
                yield
            finally:
                file.unlink(missing_ok=True)

    def begin(self, experiment: Experiment, resume: bool) -> None:
        """Creates the folder.

        Raises ExperimentError if it holds a training and `resume` is false, if that training is of another
        experiment, and if the folder cannot be written. Raises StudyError if a later version of the format wrote it.
        """
        exists = self.experiment.is_file()
        if exists:
            check_links(self.path)
            check_format(self.path)
            if not resume:
                raise self._error("holds a training already; continue it with --resume, or choose another --out")
            if any((*self.path.glob("seed-*/checkpoint.pt"), *self.path.glob("seed-*/result.json"))):
                self._compare(as_begun(Experiment.load(self.experiment), self.path), experiment)
        with _writing(self.path):
            if not exists:
                write_format(self.path)
            write_whole(self.experiment, experiment.to_yaml())

    def seed(self, seed: int, experiment: Experiment) -> SeedFolder:
        """Returns the folder of one seed of an experiment."""
        return SeedFolder(self.path / f"seed-{seed}", experiment.training.updates, experiment.keep)

    def _compare(self, before: Experiment, now: Experiment) -> None:
        """Raises ExperimentError if the experiments differ in anything but a larger budget."""
        old, new = _fields(before), _fields(now)
        changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
        if changed == ["training.updates"]:
            if new["training.updates"] > old["training.updates"]:
                return
            raise self._error(
                f"holds a training of {old['training.updates']:,} updates, which does not become one of "
                f"{new['training.updates']:,}; choose another --out"
            )
        if changed:
            changes = "\n".join(f"  {name}: {old.get(name)} -> {new.get(name)}" for name in changed)
            raise self._error(f"holds a training of another experiment, so choose another --out:\n{changes}")

    def _error(self, text: str) -> ExperimentError:
        return ExperimentError(str(self.path), {"": text})


class SeedFolder:
    """The files of one seed."""

    def __init__(self, path: Path, updates: int, keep: Literal["last", "best"] = "last"):
        """`updates` is the budget of the run in D and G updates together; `keep` as an experiment has it."""
        self.path, self.updates, self.keep = path, updates, keep
        self.best, self.moments = BestMoment(), Moments()
        self.compared: Compared | None = None
        """The run's nearest moment beside its end, once it was trained here."""
        self._result, self._checkpoint = path / "result.json", path / "checkpoint.pt"
        self._samples = path / "samples.npy"

    def finished(self) -> Result | None:
        """Returns the result if the run has reached its budget, else None, also if a file cannot be read."""
        try:
            saved = from_json(read_text(self._result))
            if saved["budget"] < self.updates:
                return None
            return Result(**dataclasses.asdict(parse(SeedResult, saved)), samples=read_array(self._samples))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def train(self, trainer: SeedTrainer, watch: Callable[[Probe], None]) -> Result:
        """Trains to the end, from the checkpoint if there is one, and writes all files.

        After Ctrl-C it trains to the next probe, saves a checkpoint, and raises KeyboardInterrupt. Raises
        ExperimentError if the folder cannot be written or the checkpoint cannot be read.
        """
        probes = self._restore(trainer)
        probes = probes if trainer.updates else []  # a script begins anew
        saved = time.monotonic()
        with Interrupts() as interrupts:
            self.moments.note(trainer)
            for probe in trainer.run():
                self.moments.note(trainer)
                if not probe.is_empty:
                    probes.append(dataclasses.asdict(probe))
                    self.best.note(trainer, probe.distance)
                    watch(probe)
                if interrupts.requested or time.monotonic() - saved >= SAVE_SECONDS:
                    self._save(trainer, probes)
                    saved = time.monotonic()
                if interrupts.requested:
                    raise KeyboardInterrupt
        result = trainer.result()
        self.best.note(trainer, result.distance)
        self._save(trainer, probes)
        self.compared = self.best.compared(trainer)
        with _writing(self.path):
            self._write(trainer, probes, result.samples)
            # The last file: its existence says that all others are complete.
            content = dataclasses.asdict(result.without_samples()) | {"budget": self.updates}
            content["best"] = self.compared and dataclasses.asdict(self.compared)
            write_whole(self._result, to_json(content))
        return result

    def _restore(self, trainer: SeedTrainer) -> list[dict[str, Any]]:
        """Loads the checkpoint into the trainer, if there is one. Returns the probes so far."""
        if not self._checkpoint.is_file():
            return []
        try:
            state = torch.load(self._checkpoint, weights_only=True, map_location="cpu")
            trainer.load_state(state["trainer"])
            if "best" in state:  # an older checkpoint has none
                self.best.load_state(state["best"])
            if "moments" in state:
                self.moments.load_state(state["moments"])
            probes: list[dict[str, Any]] = from_json(state["probes"])
        except Exception as error:  # noqa: BLE001 (torch has no class for a file cut short, or for networks that have changed)
            reason = " ".join(str(error).split())[:_REASON_CHARACTERS]
            text = f"does not fit the networks, or is not whole; delete it to train this seed from its start ({reason})"
            raise ExperimentError(str(self._checkpoint), {"": text}) from None
        return probes

    def _save(self, trainer: SeedTrainer, probes: list[dict[str, Any]]) -> None:
        state = {"trainer": trainer.state(), "probes": to_json(probes), "best": self.best.state()}
        state["moments"] = self.moments.state()
        with _writing(self.path):
            write_whole(self._checkpoint, lambda file: torch.save(state, file))

    def _write(self, trainer: SeedTrainer, probes: list[dict[str, Any]], judged: np.ndarray) -> None:
        curves = pd.DataFrame(probes).drop(columns="outputs", errors="ignore")  # histograms are no columns of a curve
        write_whole(self.path / "curves.parquet", lambda file: curves.to_parquet(file, index=False))
        trainer.copy_files(self.path / "checkpoint")
        write_moments(self.path, **self.moments.kept(trainer.task))
        if (generator := trainer.final_generator()) is None:
            return self._write_samples(trainer, judged)
        write_whole(self.path / "generator.safetensors", _weights(generator.state_dict(), generator))
        if self.best.weights:
            write_whole(self.path / "generator-best.safetensors", _weights(self.best.weights, generator))
        if self.keep == "last" or not self.best.weights:
            self._write_samples(trainer, judged)
            return self._write_program(generator, trainer)
        with self.best.in_place(trainer):
            self._write_samples(trainer, judged[:0])
            self._write_program(generator, trainer)

    def _write_samples(self, trainer: SeedTrainer, judged: np.ndarray) -> None:
        samples = undone(trainer.task, self._samples_of(trainer, judged))
        write_array(self._samples, samples)
        if (labels := self._conditions_of(trainer, len(judged), len(samples))) is not None:
            write_array(self.path / "conditions.npy", labels)
        displayed = files(SampleSet(samples, display_of(trainer.task, samples)))
        for name, content in (displayed | files_of(trainer.task, samples)).items():
            write_whole(self.path / name, content)

    def _samples_of(self, trainer: SeedTrainer, judged: np.ndarray) -> np.ndarray:
        """Returns (N, ...) fakes: those that were judged, which a sentence may name by their places, and further ones.

        A loop has no more than it has reported.
        """
        more = SAMPLES - len(judged)
        if more <= 0 or trainer.final_generator() is None:
            return judged
        return np.concatenate([judged, trainer.samples(more).cpu().numpy()])

    def _conditions_of(self, trainer: SeedTrainer, judged: int, count: int) -> np.ndarray | None:
        """Returns the conditions of `count` fakes, of which the first ones were judged."""
        parts = [trainer.conditions(n) for n in (judged, count - judged)]
        given = [part.cpu().numpy() for part in parts if part is not None]
        return np.concatenate(given) if given else None

    def _write_program(self, generator: nn.Module, trainer: SeedTrainer) -> None:
        network = copy.deepcopy(generator.network if isinstance(generator, WithoutLatents) else generator).cpu().eval()
        undo, labels, latent_dim = trainer.task.undo(), trainer.conditions(2), trainer.task.latent_dim
        inputs = [torch.randn(2, latent_dim)] if latent_dim or labels is None else []
        inputs += [] if labels is None else [labels.cpu()]
        behind = _Undone if len(inputs) == 2 else nn.Sequential
        if program := exported_program(network if undo is None else behind(network, undo), *inputs):
            write_whole(self.path / "generator.pt2", program)


def _weights(state: Mapping[str, torch.Tensor], generator: nn.Module) -> bytes:
    """Returns a generator's weights as a safetensors file has them, by the names that the task's own network has."""
    ours = "network." if isinstance(generator, WithoutLatents) else ""
    state = {name.removeprefix(ours): value for name, value in state.items()}
    return save({name: value.detach().cpu().contiguous() for name, value in state.items()})


class _Undone(nn.Module):
    """A generator with conditions, whose samples are brought back to the units of the data."""

    def __init__(self, network: nn.Module, undo: nn.Module):
        super().__init__()
        self.network, self.undo = network, undo

    def forward(self, latents: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(B, latent_dim) and (B, ...) -> (B, ...)."""
        samples: torch.Tensor = self.undo(self.network(latents, labels))
        return samples


def exported_program(generator: nn.Module, *inputs: torch.Tensor) -> bytes | None:
    """Returns the generator as a program of torch.export, or None if torch cannot export it.

    `inputs` are those of two samples: latents (2, latent_dim), conditions (2, ...), or both. The program takes as many,
    (B, ...) for any B, and returns samples (B, ...).
    """
    logging.getLogger("torch._export").setLevel(logging.ERROR)
    batch = torch.export.Dim("samples")
    content = io.BytesIO()
    try:
        program = torch.export.export(generator, inputs, dynamic_shapes=({0: batch},) * len(inputs))
        torch.export.save(program, content)
    except Exception:  # noqa: BLE001 (a user's network may raise anything; its weights are written in any case)
        return None
    return content.getvalue()


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Creates the folder. Raises ExperimentError in place of an OSError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise ExperimentError(str(folder), {"": f"cannot be written ({error.strerror or error})"}) from None


def _fields(experiment: Experiment) -> dict[str, Any]:
    """Returns the values on which a run depends by their dotted names."""
    data = masked_data(experiment.model_dump(mode="json", include=set(_SECTIONS)))  # as the folder has it
    return {str(name): value for name, value in pd.json_normalize(data).iloc[0].items() if value != {}}
