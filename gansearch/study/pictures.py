"""A trial's samples as a picture: a grid of images, or points in the plane."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

_POINTS = 320
"""Pixels of a side of a scatter of points, of which every sample covers a few."""


def image_grid(samples: np.ndarray, most: int = 64) -> np.ndarray | None:
    """(H, W, 3) bytes: up to `most` images of (N, 1 | 3, H, W) or (N, H, W) in [−1, 1] in a square grid.

    None where the samples are no images.
    """
    images = samples[:, None] if samples.ndim == 3 else samples
    if images.ndim != 4 or images.shape[1] not in (1, 3) or min(images.shape[2:]) < 4 or not len(images):
        return None  # a side below 4 is a sequence, not an image
    # Many small images, few large ones: the grid stays below 600 pixels.
    side = min(int(len(images) ** 0.5), int(most**0.5), max(2, 600 // (images.shape[3] + 1)))
    images = np.nan_to_num(images[: side * side].astype("float32"))
    bytes_ = (np.clip(images, -1, 1) * 127.5 + 127.5).round().astype("uint8")
    if images.shape[1] == 1:
        bytes_ = bytes_.repeat(3, axis=1)
    apart = np.pad(bytes_, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=128)
    height, width = apart.shape[2:]
    grid = apart.reshape(side, side, 3, height, width).transpose(0, 3, 1, 4, 2)
    return np.asarray(grid.reshape(side * height, side * width, 3)[:-1, :-1])


def pictures(samples: Sequence[np.ndarray | None]) -> list[str | None]:
    """A PNG of each trial's samples as a data URI, points all on one scale; None where there is none."""
    clouds = [array for array in samples if array is not None and _is_cloud(array)]
    limit = max((float(np.quantile(np.abs(cloud[np.isfinite(cloud)]), 0.995)) for cloud in clouds), default=1.0)
    return [None if array is None else _picture(array, limit * 1.1 or 1.0) for array in samples]


def _is_cloud(samples: np.ndarray) -> bool:
    return samples.ndim == 2 and samples.shape[1] == 2 and bool(np.isfinite(samples).any())


def _picture(samples: np.ndarray, limit: float) -> str | None:
    if _is_cloud(samples):
        return _uri(_scatter(samples, limit))
    grid = image_grid(samples)
    return None if grid is None else _uri(Image.fromarray(grid))


def _scatter(points: np.ndarray, limit: float) -> Image.Image:
    """(N, 2) points within ± limit on a transparent ground, so that they show on light and on dark paper."""
    size = 2 * _POINTS  # drawn at twice the size and halved, which smooths the edges
    image = Image.new("RGBA", (size, size), (0, 114, 178, 0))
    draw = ImageDraw.Draw(image)
    pixels = (points[np.isfinite(points).all(1)][:2000] / limit * [1, -1] + 1) / 2 * size
    for x, y in pixels:
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=(60, 130, 200, 200))
    return image.resize((_POINTS, _POINTS), Image.Resampling.LANCZOS)


def _uri(image: Image.Image) -> str:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
