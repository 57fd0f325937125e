"""Samples as pictures: a grid of images, or points in the plane."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image, ImageDraw

_POINTS = 320
"""Pixels of a side of a scatter of points, of which every sample covers a few."""
_UNEVEN = 30
"""Times as much as another number of a point may vary before both are drawn on a scale of their own."""


def image_grid(samples: np.ndarray, most: int = 64) -> np.ndarray:
    """(H, W, 3) bytes: up to `most` images of (N, 1 | 3, H, W) or (N, H, W) in [−1, 1] in a square grid."""
    images = samples[:, None] if samples.ndim == 3 else samples
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


class Plane:
    """Where points are drawn, all on one scale. Points of one number a sample are drawn as their distribution
    function; those of more than two as seen along the two directions in which `reals` vary most. Numbers that vary very
    differently are brought to the same spread."""

    def __init__(self, reals: np.ndarray):
        """`reals` are (N, D) points by which the directions and the scale are chosen."""
        whole = reals[np.isfinite(reals).all(1)].astype("float64")
        many = reals.shape[1] > 2 and len(whole)
        self.middle, self.spread = np.zeros(reals.shape[1]), np.ones(reals.shape[1])
        spread = whole.std(0) if len(whole) else self.spread
        if uneven := spread.max() > _UNEVEN * spread[spread > 0].min(initial=np.inf):
            self.spread = np.where(spread > 0, spread, 1)
        if many or uneven:
            self.middle = whole.mean(0)
        self.axes = np.linalg.svd(self._scaled(whole), full_matrices=False)[2][:2] if many else None
        self.limit = 1.0
        flat = np.abs(self.flat(whole))
        self.limit = (float(np.quantile(flat, 0.995)) if flat.size else 0.0) * 1.1 or 1.0

    def _scaled(self, points: np.ndarray) -> np.ndarray:
        return np.asarray((points - self.middle) / self.spread)

    def flat(self, points: np.ndarray) -> np.ndarray:
        """(M, 2) of (N, D) points, without those that are not finite."""
        points = self._scaled(points[np.isfinite(points).all(1)].astype("float64"))
        if points.shape[1] == 1:
            share = (np.arange(len(points)) + 0.5) / max(1, len(points))
            return np.stack([np.sort(points[:, 0]), self.limit * (2 * share - 1)], 1)
        return points if self.axes is None else points @ self.axes.T

    def scatter(self, points: np.ndarray) -> Image.Image:
        """(N, D) points on a transparent ground, so that they show on light and on dark paper.

        What lies outside is drawn at the edge.
        """
        size = 2 * _POINTS  # drawn at twice the size and halved, which smooths the edges
        image = Image.new("RGBA", (size, size), (0, 114, 178, 0))
        draw = ImageDraw.Draw(image)
        pixels = (np.clip(self.flat(points)[:2000] / self.limit, -0.99, 0.99) * [1, -1] + 1) / 2 * size
        for x, y in pixels:
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=(60, 130, 200, 200))
        return image.resize((_POINTS, _POINTS), Image.Resampling.LANCZOS)


def png(picture: Image.Image | np.ndarray) -> bytes:
    """A PNG file of a picture, or of (H, W, 3) bytes."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def data_uri(content: bytes, kind: str) -> str:
    """A file within a page; `kind` is its media type."""
    return f"data:{kind};base64," + base64.b64encode(content).decode()
