"""Samples of several trials as a page displays them, all in the same way, and as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from gansearch.formatting import short
from gansearch.rendering.pictures import Plane, data_uri, image_grid, png, triptychs
from gansearch.rendering.sound import playable, spectrogram, wav
from gansearch.store.samples import SampleSet

_MAX_CLIPS = 3
"""Sounds of a trial on a page."""
_MAX_TEXTS, _MAX_CHARACTERS = 6, 400
"""Texts of a trial on a page, and characters of each."""
_MAX_ROWS = 8
"""Rows of a trial's table on a page."""
_MAX_FILES = 16
"""Sounds that are written as files."""


@dataclass(frozen=True)
class Clip:
    """A sound as data URIs: its spectrogram, and a file to play."""

    picture: str
    sound: str


@dataclass(frozen=True)
class Display:
    """Samples as a page displays them: one of these forms, or the shape alone where there is no other."""

    shape: tuple[int, ...]
    picture: str = ""
    """A data URI."""
    beside: bool = False
    """Whether the picture has each sample between its input and its target."""
    smooth: bool = False
    """Whether the picture is a scatter of points, whose pixels may be interpolated."""
    clips: list[Clip] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)


def show(
    samples: Sequence[SampleSet], real: SampleSet | None = None, inputs: np.ndarray | None = None
) -> list[Display]:
    """Return the display of each trial's samples, of pairs of pictures beside their `inputs` and targets, `real`.

    Points of all trials are drawn on one scale and in the same directions, those of `real` where it has points.
    """
    clouds = [real.array] if real and real.kind == "points" else [one.array for one in samples if one.kind == "points"]
    planes = {
        size: Plane(np.concatenate([cloud for cloud in clouds if cloud.shape[1] == size]))
        for size in {cloud.shape[1] for cloud in clouds}
    }
    pairs = (inputs, real.array) if inputs is not None and real and real.kind == "image" else None
    return [_display(one, planes, pairs) for one in samples]


def picture(samples: SampleSet) -> np.ndarray | None:
    """Return (H, W, 3) bytes of images, points or the first sound; None where the samples are no picture."""
    match samples.kind:
        case "image":
            return image_grid(samples.array)
        case "points":
            return np.asarray(_scatter_on_white(samples.array))
        case "audio":
            return np.asarray(spectrogram(samples.array[0], samples.rate))
    return None


def files(samples: SampleSet) -> dict[str, bytes]:
    """Return the contents of samples.png, sample-00.wav and so on, samples.txt or samples.csv by file name."""
    match samples.kind:
        case "image":
            return {"samples.png": png(image_grid(samples.array))}
        case "points":
            return {"samples.png": png(_scatter_on_white(samples.array))}
        case "audio":
            sounds = enumerate(samples.array[:_MAX_FILES])
            return {f"sample-{number:02}.wav": wav(sound, samples.rate) for number, sound in sounds}
        case "text":
            return {"samples.txt": "".join(f"{text}\n---\n" for text in samples.texts).encode()}
        case "table":
            stream = io.StringIO(newline="")
            csv.writer(stream).writerows([samples.columns, *samples.rows])
            return {"samples.csv": stream.getvalue().encode()}
    return {}


def _display(
    samples: SampleSet, planes: dict[int, Plane], pairs: tuple[np.ndarray, np.ndarray] | None = None
) -> Display:
    shape = samples.array.shape
    if pairs and samples.kind == "image":
        beside = triptychs(pairs[0], samples.array, pairs[1])
        if beside is not None:
            return Display(shape, _png_uri(beside), beside=True)
    match samples.kind:
        case "image":
            return Display(shape, _png_uri(image_grid(samples.array)))
        case "points":
            plane = planes.get(shape[1]) or Plane(samples.array)
            return Display(shape, _png_uri(plane.scatter(samples.array)), smooth=True)
        case "audio":
            return Display(shape, clips=[_clip(sound, samples.rate) for sound in samples.array[:_MAX_CLIPS]])
        case "text":
            texts = samples.texts[:_MAX_TEXTS]
            return Display(shape, texts=[short(text, _MAX_CHARACTERS + 1) for text in texts])
        case "table":
            return Display(shape, columns=samples.columns, rows=samples.rows[:_MAX_ROWS])
    return Display(shape)


def _clip(sound: np.ndarray, rate: int) -> Clip:
    return Clip(_png_uri(spectrogram(sound, rate)), data_uri(playable(sound, rate), "audio/wav"))


def _png_uri(picture: Image.Image | np.ndarray) -> str:
    return data_uri(png(picture), "image/png")


def _scatter_on_white(points: np.ndarray) -> Image.Image:
    image = Plane(points).scatter(points)
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
