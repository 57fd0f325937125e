"""Samples as their task says that they are shown: on a page, in TensorBoard, and as files."""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gansearch.gan.readers.audio import read_pieces
from gansearch.gan.readers.cache import FOLDER
from gansearch.gan.readers.images import in_folder, read_pictures
from gansearch.gan.readers.text import read_windows
from gansearch.rendering.render import files, picture, show
from gansearch.search.callbacks.tensorboard import TensorBoardLog
from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder, write_whole
from gansearch.store.nan_json import to_json
from gansearch.store.samples import SampleSet
from tests.synthetic import a_record, experiment

pytestmark = pytest.mark.slow

RATE = 8_000
TONE = np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE)[None].astype("float32") * [[0.5], [2.0]]
"""Two seconds of 1 kHz, the second one too loud."""
EVIL = "<script>alert(1)</script> | *bold*"
TEXTS: dict[str, Any] = {"kind": "text", "texts": [EVIL, "It is a truth\nuniversally acknowledged", "x" * 1000]}
TABLE: dict[str, Any] = {"kind": "table", "columns": ["age", EVIL], "rows": [[41.5, "no, never"], [7, EVIL]]}
AUDIO = {"kind": "audio", "rate": RATE}
KINDS = [("audio", TONE, AUDIO), ("text", np.zeros((3, 4, 5)), TEXTS), ("table", np.zeros((2, 9)), TABLE)]


def kept(kind: str) -> SampleSet:
    return next(SampleSet(array, shown) for name, array, shown in KINDS if name == kind)


def decoded(uri: str, kind: str) -> io.BytesIO:
    return io.BytesIO(base64.b64decode(uri.removeprefix(f"data:{kind};base64,"), validate=True))


def test_a_page_has_the_first_sounds() -> None:
    (display,) = show([kept("audio")])
    assert len(display.clips) == 2
    assert wavfile.read(decoded(display.clips[0].sound, "audio/wav"))[0] == RATE
    assert Image.open(decoded(display.clips[0].picture, "image/png")).size == (320, 160)


def test_sounds_of_two_channels_are_one_file_each() -> None:
    stereo = np.stack([TONE[0], -TONE[0]])[None]
    content = files(SampleSet(stereo, AUDIO))
    assert list(content) == ["sample-00.wav"]
    assert wavfile.read(io.BytesIO(content["sample-00.wav"]))[1].shape == (RATE, 2)


def test_files_hold_what_the_samples_are() -> None:
    images = Image.open(io.BytesIO(files(SampleSet(np.zeros((70, 3, 8, 8))))["samples.png"]))
    assert images.size == (71, 71)
    points = Image.open(io.BytesIO(files(SampleSet(np.zeros((70, 2))))["samples.png"]))
    assert points.mode == "RGB"
    assert points.getpixel((0, 0)) == (255, 255, 255)
    text = files(kept("text"))["samples.txt"].decode()
    assert text.split("\n---\n")[:3] == TEXTS["texts"]
    rows = list(csv.reader(io.StringIO(files(kept("table"))["samples.csv"].decode(), newline="")))
    assert rows == [TABLE["columns"], ["41.5", "no, never"], ["7", EVIL]]
    assert files(SampleSet(np.zeros((9, 3)))) == {}


@pytest.mark.parametrize(("kind", "array", "shown"), KINDS, ids=[kind for kind, *_ in KINDS])
def test_tensorboard_has_them_too(kind: str, array: np.ndarray, shown: dict, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = folder.record(0)
    path.mkdir(parents=True)
    np.save(path / "samples.npy", array)
    write_whole(path / "samples.json", to_json(shown))
    log = TensorBoardLog()
    log.begin(experiment(), folder, slots=1, done=0)
    log.started(0, {"lr": 1e-3})
    seed = SeedResult(seed=0, verdict="balanced", sentence="Fine.", stability=0.5, distance=1.0, updates=10)
    log.ended(a_record(0, seeds=(seed,)), "")
    log.close()
    events = EventAccumulator(str(tmp_path / "tensorboard/trial-00000/seed-0")).Reload()
    if kind == "audio":
        assert events.Tags()["images"] == ["samples"]
        assert events.Tags()["audio"] == ["samples/0", "samples/1"]
        (sound,) = events.Audio("samples/0")
        assert sound.sample_rate == RATE
    else:
        (event,) = events.Tensors("samples/text_summary")
        text = event.tensor_proto.string_val[0].decode()
        assert ("    universally acknowledged" if kind == "text" else "| 41.5 | no, never |") in text
        assert kind == "text" or r"<script>alert(1)</script> \| *bold*" in text


def test_a_picture_is_of_images_points_or_a_sound() -> None:
    for one in (SampleSet(np.zeros((9, 8, 8))), SampleSet(np.zeros((9, 2))), kept("audio")):
        drawn = picture(one)
        assert drawn is not None
        assert drawn.shape[2] == 3
    assert picture(kept("text")) is None


def test_what_read_the_data_reads_the_files_of_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    texts = ["春眠不覺曉 é"] * 60
    kinds = {
        "image": SampleSet(random.uniform(-1, 1, (9, 3, 16, 16)), {"kind": "image"}),
        "audio": SampleSet(random.uniform(-1, 1, (16, 1, 8_000)), {"kind": "audio", "rate": 2_000}),
        "text": SampleSet(np.zeros((60, 4, 8)), {"kind": "text", "texts": texts}),
    }
    for kind, samples in kinds.items():
        (tmp_path / kind).mkdir()
        for name, content in files(samples).items():
            (tmp_path / kind / name).write_bytes(content)
    assert read_pictures(in_folder(str(tmp_path / "image")), 64, None).warnings == []
    pieces, told, *_ = read_pieces(str(tmp_path / "audio"), 2_000, 1.0)
    assert (pieces.shape, told) == ((64, 1, 2_000), [])
    found = read_windows(str(tmp_path / "text"), 8, 64, False)
    assert set(found.alphabet) == {*"".join(texts), *"- "}
