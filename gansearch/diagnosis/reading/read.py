"""One function for every log."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from gansearch.diagnosis.numbers.errors import LogError
from gansearch.diagnosis.numbers.records import Records
from gansearch.diagnosis.reading.beside import configuration
from gansearch.diagnosis.reading.documents import curves_table, document, frame_table, json_table, notebook_text
from gansearch.diagnosis.reading.events import event_table, is_events
from gansearch.diagnosis.reading.folders import KNOWN, log_in, quantities
from gansearch.diagnosis.reading.metrics import with_metrics
from gansearch.diagnosis.reading.reader import LogReader
from gansearch.diagnosis.reading.wandb_run import wandb_table
from gansearch.diagnosis.roles.assembly import assemble
from gansearch.diagnosis.training_log import TrainingLog

CHUNK = 1 << 22
"""Bytes that are read at a time."""
NO_TEXT = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".npz", ".npy", ".h5", ".xlsx", ".xls", ".pdf", ".png", ".zip")


class Reading:
    """What a user asks of a log, for the readers of its kinds."""

    def __init__(self, file: str, columns: Mapping[str, str] | None, loss: str | None, metric: str = "") -> None:
        self.file = file
        self.metric = metric
        self.columns = dict(columns or {})
        self.loss = loss
        self.config: dict[str, Any] = {}

    def table(self, records: Records, kind: str, notes: Sequence[str] = ()) -> TrainingLog:
        """The log of a table."""
        if not records.names:
            raise LogError(f"{self.file} has no columns of numbers.")
        return assemble(self.file, records, kind, notes, self.columns, self.loss, self.config, self.metric)

    def text(self, stream: IO[bytes]) -> TrainingLog:
        """The log of a text."""
        reader = LogReader(self.file, self.columns, self.loss, self.config, self.metric)
        try:
            while data := stream.read(CHUNK):
                reader.feed(data)
        except EOFError:  # a gzip file that was cut
            pass
        except zlib.error as error:
            raise LogError(f"{self.file} cannot be read: {error}.") from None
        reader.close()
        return reader.log()

    def path(self, path: Path) -> TrainingLog:
        """The log of a file or folder."""
        found = log_in(path) if path.is_dir() else path
        self.config = configuration(found[0] if isinstance(found, list) else found)
        if isinstance(found, list) or is_events(found):
            records, notes = event_table(found if isinstance(found, list) else [found])
            return self.table(records, "TensorBoard's event files", notes)
        if found.suffix == ".wandb":
            source, config = wandb_table(found)
            self.config = {**self.config, **config}
            return self.table(source.records, "a run of Weights & Biases")
        if found.name == "curves.parquet":
            records, notes = curves_table(found)
            return self.table(records, "the curves of a sweep", notes)
        if found.suffix in (".json", ".ipynb"):
            return self.document(found)
        together = quantities(found)
        if together:
            return self.table(together[0], "files of one quantity each", together[1])
        return self.file_of_text(found)

    def document(self, path: Path) -> TrainingLog:
        """The log of a JSON file or a notebook."""
        value = document(path)
        if isinstance(value, dict) and isinstance(value.get("cells"), list):
            reader = LogReader(self.file, self.columns, self.loss, self.config, self.metric)
            reader.feed(notebook_text(value["cells"]))
            reader.close()
            return reader.log()
        records = json_table(value)
        return self.file_of_text(path) if records is None else self.table(records, "JSON")

    def file_of_text(self, path: Path) -> TrainingLog:
        """The log of a file of text, which may be gzip's."""
        if path.suffix.lower() in NO_TEXT:
            raise LogError(f"{path} is no text: name a file of printed lines, CSV, JSON lines or TensorBoard's events.")
        with path.open("rb") as stream:  # once: a pipe, as of <(zcat …), is read but once
            packed = stream.peek(2).startswith(b"\x1f\x8b")
            try:
                return with_metrics(self.text(gzip.open(stream) if packed else stream), path)  # type: ignore[arg-type]
            except LogError as error:
                others = [path.parent / name for name in KNOWN if (path.parent / name).is_file()]
                if not others or others[0] == path:
                    raise
                raise LogError(f"{error} {others[0]} beside it may have them.") from None


def read_log(source: Any, columns: Mapping[str, str] | None = None, loss: str | None = None) -> TrainingLog:
    """Read the log of a GAN's training, whatever printed it.

    Args:
        source: A file's or folder's path, "-" for standard input, or a pandas `DataFrame`.
        columns: Names of columns by role, such as `{"d_loss": "my loss"}`, where the names do not say it themselves.
        loss: bce, hinge, lsgan or wgan, where neither the log nor a file beside it says it.

    Raises:
        LogError: There is nothing to read, in one sentence.
    """
    if hasattr(source, "columns"):
        return Reading("the data frame", columns, loss).table(frame_table(source), "a data frame")
    reading = Reading(str(source), columns, loss)
    if source == "-":
        return reading.text(sys.stdin.buffer)
    path = Path(os.path.expanduser(source))  # noqa: PTH111 (it leaves the ~ of an unknown user as it is)
    try:
        if not path.exists():
            raise LogError(f"{path} does not exist.")
        return reading.path(path)
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror or error}.") from None
