"""TensorBoard: scalars and samples of every trial and seed while a sweep runs, and the HPARAMS tab."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gansearch.experiment import Experiment
from gansearch.rendering.render import picture
from gansearch.search.callbacks.listener import Listener
from gansearch.store.folder import Folder
from gansearch.store.record import TrialRecord
from gansearch.store.samples import SampleSet, read_samples

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

TAGS = {
    "p_real": "discriminator/p_real",
    "p_fake": "discriminator/p_fake",
    "separability": "discriminator/separability",
    "saturated_right": "saturation/right",
    "saturated_wrong": "saturation/wrong",
    "loss_d": "loss/d",
    "loss_g": "loss/g",
    "grad_norm_d": "gradients/d",
    "grad_norm_g": "gradients/g",
    "distance": "quality/distance",
    "r_t": "augmentation/r_t",
    "augment_p": "augmentation/p",
    "held_out_gap": "discriminator/held_out_gap",
    "reconstruction": "quality/reconstruction",
}
"""The tag of each column of a probe."""
_FEW = 8
"""Most sounds, texts or rows of a trial."""
_STABILITY, _DISTANCE = "stability/score", TAGS["distance"]


class TensorBoardLog(Listener):
    """Writes `tensorboard/trial-00012/seed-0/`; a trial's files are closed at its end, so that few are open.

    A trial that starts again hides what its earlier run wrote from that update on.
    """

    _folder: Folder

    def __init__(self) -> None:
        """Write nothing until a sweep begins."""
        self._params: dict[int, dict[str, float | str]] = {}
        self._writers: dict[tuple[int, int], SummaryWriter] = {}

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        """Note the results folder."""
        self._folder = folder

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """Note the parameters of a trial."""
        self._close(number)
        self._params[number] = {name: _hparam(value) for name, value in params.items()}
        self._name_columns(self._params[number])

    def probes(self, number: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write new probes of a trial: its curves, and histograms of D's `outputs`."""
        for row in rows:
            writer = self._writer(number, int(row["seed"]), int(row["update"]))
            for tag, value in finite({tag: row.get(column, math.nan) for column, tag in TAGS.items()}).items():
                writer.add_scalar(tag, value, int(row["update"]))
            for kind, counts in (row.get("outputs") or {}).items():
                _add_histogram(writer, f"discriminator/outputs_{kind}", counts, int(row["update"]))

    def ended(self, record: TrialRecord, in_turn: str) -> None:
        """Write the scores of a trial, its samples and its line in the HPARAMS tab."""
        number = record.number
        samples = read_samples(self._folder, number)
        for index, seed in enumerate(record.seeds):
            writer = self._writer(number, seed.seed, seed.updates)
            for tag, value in finite({_STABILITY: seed.stability, _DISTANCE: seed.distance}).items():
                writer.add_scalar(tag, value, seed.updates)
            if index == 0 and samples is not None:  # they are those of the first seed
                _add_samples(writer, samples, seed.updates)
            writer.add_text("verdict", f"{seed.verdict}: {seed.sentence}", seed.updates)
            _add_summary(writer, _session_end(failed=seed.status == "failed"))
        self._close(number)
        self._params.pop(number, None)

    def close(self) -> None:
        """Close the files of the trials that were cut short."""
        for number in {number for number, _ in self._writers}:
            self._close(number)

    def _writer(self, number: int, seed: int, update: int) -> SummaryWriter:
        """Return the open files of a trial's seed; `update` is the first that will be written."""
        from tensorboard.plugins.hparams import summary_v2
        from torch.utils.tensorboard import SummaryWriter

        if (number, seed) not in self._writers:
            path = self._folder.tensorboard / f"trial-{number:05d}" / f"seed-{seed}"
            # Hides what an earlier run of the same trial wrote from this update on.
            purge = update if path.is_dir() else None
            writer = SummaryWriter(str(path), purge_step=purge, flush_secs=20)
            # The seeds of a configuration are one group of sessions, named by the trial.
            params = self._params.get(number, {})
            _add_summary(writer, summary_v2.hparams_pb(params, trial_id=f"trial-{number:05d}"))
            self._writers[number, seed] = writer
        return self._writers[number, seed]

    def _close(self, number: int) -> None:
        for key in [key for key in self._writers if key[0] == number]:
            self._writers.pop(key).close()

    def _name_columns(self, params: Mapping[str, Any]) -> None:
        """Name the columns of the HPARAMS tab, once a sweep, in the root folder."""
        root = self._folder.tensorboard
        if root.is_dir() and any(root.glob("events.*")):
            return
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import hparams

        columns, _, _ = hparams(dict(params), {_STABILITY: 0.0, _DISTANCE: 0.0})
        with SummaryWriter(str(root)) as writer:
            _add_summary(writer, columns)


def _add_summary(writer: SummaryWriter, summary: Any) -> None:
    """Add a summary of the HPARAMS plugin, for which SummaryWriter has no method."""
    files: Any = writer.file_writer
    files.add_summary(summary)


def _add_samples(writer: SummaryWriter, samples: SampleSet, update: int) -> None:
    """Add pictures under IMAGES, sounds under AUDIO too, texts and rows under TEXT."""
    drawn = picture(samples)
    if drawn is not None:
        writer.add_image("samples", drawn, update, dataformats="HWC")
    if samples.kind == "audio":
        for index, sound in enumerate(samples.array[:_FEW]):
            mono = np.clip(np.nan_to_num(np.atleast_2d(sound).mean(0)), -1, 1)
            writer.add_audio(f"samples/{index}", mono, update, samples.rate)
    elif samples.kind == "text":
        writer.add_text("samples", "\n\n".join(f"    {_in_block(text)}" for text in samples.texts[:_FEW]), update)
    elif samples.kind == "table":
        rows = [samples.columns, ["---"] * len(samples.columns), *samples.rows[:_FEW]]
        writer.add_text("samples", "\n".join("| " + " | ".join(map(_in_cell, row)) + " |" for row in rows), update)


def _in_block(text: str) -> str:
    """Return a text as a code block of Markdown, in which nothing has a meaning."""
    return text.replace("\n", "\n    ")


def _in_cell(value: object) -> str:
    """Return a value as a cell of a Markdown table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _add_histogram(writer: SummaryWriter, tag: str, counts: Sequence[int], update: int) -> None:
    """Add counts of values in equal parts of [0, 1], of which each value counts as the middle."""
    edges = [(part + 1) / len(counts) for part in range(len(counts))]
    middles = [edge - 0.5 / len(counts) for edge in edges]
    writer.add_histogram_raw(
        tag,
        min=0.0,
        max=1.0,
        num=sum(counts),
        sum=sum(count * middle for count, middle in zip(counts, middles, strict=True)),
        sum_squares=sum(count * middle**2 for count, middle in zip(counts, middles, strict=True)),
        bucket_limits=edges,
        bucket_counts=list(counts),
        global_step=update,
    )


def _session_end(failed: bool) -> Any:
    """Return the summary that ends a session. TensorBoard's own function for it needs TensorFlow."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.plugins.hparams import metadata
    from tensorboard.plugins.hparams.api_pb2 import Status
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo

    status = Status.Value("STATUS_FAILURE" if failed else "STATUS_SUCCESS")
    data = HParamsPluginData(session_end_info=SessionEndInfo(status=status), version=metadata.PLUGIN_DATA_VERSION)
    plugin = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=data.SerializeToString())
    value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=SummaryMetadata(plugin_data=plugin))
    return Summary(value=[value])


def _hparam(value: Any) -> float | str:
    """Return a parameter as TensorBoard takes it: numbers as they are, all else as text."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """Return those values that are numbers, which alone a curve can show."""
    return {name: value for name, value in values.items() if math.isfinite(value)}
