"""Samples of several trials as a page shows them, all alike; and as files that people open."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from gansearch.rendering.pictures import Plane, data_uri, image_grid, png
from gansearch.rendering.sound import spectrogram, wav
from gansearch.store.samples import Kept

_CLIPS = 3
"""Sounds of a trial on a page."""
_TEXTS, _CHARACTERS = 6, 400
"""Texts of a trial on a page, and most characters of each."""
_ROWS = 8
"""Rows of a trial's table on a page."""
_FILES = 16
"""Sounds that are written as files."""


@dataclass(frozen=True)
class Clip:
    """A sound: its spectrogram and itself, as data URIs."""

    picture: str
    sound: str


@dataclass(frozen=True)
class Shown:
    """Samples as a page shows them: one of these, or none where they are an array like any other."""

    shape: tuple[int, ...]
    picture: str = ""
    """A data URI."""
    smooth: bool = False
    """Whether the picture is of points, not of pixels."""
    clips: list[Clip] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)


def show(samples: Sequence[Kept], real: Kept | None = None) -> list[Shown]:
    """Each trial's samples; points all on one scale and as seen from one side, by the reals' where there are some."""
    clouds = [real.array] if real and real.kind == "points" else [one.array for one in samples if one.kind == "points"]
    planes: dict[int, Plane] = {}
    for size in {cloud.shape[1] for cloud in clouds}:
        planes[size] = Plane(np.concatenate([cloud for cloud in clouds if cloud.shape[1] == size]))
    return [_shown(one, planes) for one in samples]


def picture(samples: Kept) -> np.ndarray | None:
    """(H, W, 3) bytes: images, points or the first sound by itself; None where the samples are no picture."""
    match samples.kind:
        case "image":
            return image_grid(samples.array)
        case "points":
            return np.asarray(_on_white(Plane(samples.array).scatter(samples.array)))
        case "audio":
            return np.asarray(spectrogram(samples.array[0], samples.rate))
    return None


def files(samples: Kept) -> dict[str, bytes]:
    """The content of samples.png, sample-00.wav and its next, samples.txt or samples.csv, by name."""
    match samples.kind:
        case "image":
            return {"samples.png": png(image_grid(samples.array))}
        case "points":
            return {"samples.png": png(_on_white(Plane(samples.array).scatter(samples.array)))}
        case "audio":
            sounds = enumerate(samples.array[:_FILES])
            return {f"sample-{place:02}.wav": wav(sound, samples.rate) for place, sound in sounds}
        case "text":
            return {"samples.txt": "".join(f"{text}\n---\n" for text in samples.texts).encode()}
        case "table":
            stream = io.StringIO(newline="")
            csv.writer(stream).writerows([samples.columns, *samples.rows])
            return {"samples.csv": stream.getvalue().encode()}
    return {}


def _shown(samples: Kept, planes: dict[int, Plane]) -> Shown:
    shape = samples.array.shape
    match samples.kind:
        case "image":
            return Shown(shape, data_uri(png(image_grid(samples.array)), "image/png"))
        case "points":
            plane = planes.get(shape[1]) or Plane(samples.array)
            return Shown(shape, data_uri(png(plane.scatter(samples.array)), "image/png"), smooth=True)
        case "audio":
            return Shown(shape, clips=[_clip(sound, samples.rate) for sound in samples.array[:_CLIPS]])
        case "text":
            texts = [text if len(text) <= _CHARACTERS else text[:_CHARACTERS] + "…" for text in samples.texts]
            return Shown(shape, texts=texts[:_TEXTS])
        case "table":
            return Shown(shape, columns=samples.columns, rows=samples.rows[:_ROWS])
    return Shown(shape)


def _clip(sound: np.ndarray, rate: int) -> Clip:
    return Clip(data_uri(png(spectrogram(sound, rate)), "image/png"), data_uri(wav(sound, rate), "audio/wav"))


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    return ground.convert("RGB")
