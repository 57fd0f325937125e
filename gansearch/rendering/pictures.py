"""Samples as pictures: a grid of images, or a scatter of points in the plane."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image, ImageDraw

_SCATTER_SIZE = 320
"""Pixels of a side of a scatter of points, of which every sample covers a few."""
_MAX_SPREAD_RATIO = 30
"""Ratio of the spreads of two coordinates from which on each is drawn on a scale of its own."""


def image_grid(samples: np.ndarray, most: int = 64) -> np.ndarray:
    """Return (H, W, 3) bytes: up to `most` images of (N, 1 | 3, H, W) or (N, H, W) in [−1, 1] in a square grid."""
    images = samples[:, None] if samples.ndim == 3 else samples
    # Many small images or few large ones, so that the grid stays below 600 pixels.
    side = min(int(len(images) ** 0.5), int(most**0.5), max(2, 600 // (images.shape[3] + 1)))
    return _grid(_pixels(images[: side * side]), side)


def triptychs(inputs: np.ndarray, fakes: np.ndarray, targets: np.ndarray) -> np.ndarray | None:
    """Return (H, W, 3) bytes: input, fake and target of each pair beside each other, in a square of some 300 pixels.

    All are (N, 1 | 3, H, W) in [−1, 1]; smaller inputs are enlarged. None where they do not fit beside each other.
    """
    fits = inputs.ndim == fakes.ndim == 4 and fakes.shape[2:] == targets.shape[2:] and inputs.shape[1] in (1, 3)
    factor = fakes.shape[2] // max(1, inputs.shape[2]) if fits else 0
    count = min(len(inputs), len(fakes), len(targets))
    if not factor or not count or tuple(factor * side for side in inputs.shape[2:]) != fakes.shape[2:]:
        return None
    enlarged = inputs[:count].repeat(factor, 2).repeat(factor, 3)
    parts = [_framed(_pixels(one)) for one in (enlarged, fakes[:count], targets[:count])]
    rows = np.concatenate(parts, 3)[:, :, :-1, :-1]
    height, width = fakes.shape[2:]
    columns = max(1, min(300 // (3 * width + 5), int(count**0.5)))
    whole = min(count // columns, max(2, columns * (3 * width + 5) // (height + 1))) * columns
    return _grid(np.pad(rows[:whole], ((0, 0), (0, 0), (0, 0), (0, 2 * (columns > 1))), constant_values=255), columns)


def _pixels(images: np.ndarray) -> np.ndarray:
    """(N, 3, H, W) bytes of (N, 1 | 3, H, W) images in [−1, 1]."""
    images = np.nan_to_num(images.astype("float32"))
    pixels = (np.clip(images, -1, 1) * 127.5 + 127.5).round().astype("uint8")
    return pixels.repeat(3, axis=1) if images.shape[1] == 1 else pixels


def _framed(pixels: np.ndarray) -> np.ndarray:
    """(N, 3, H + 1, W + 1): with a line below and on the right."""
    return np.pad(pixels, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=128)


def _grid(pixels: np.ndarray, columns: int) -> np.ndarray:
    """(H, W, 3) bytes of whole rows of (N, 3, h, w) images, with lines between them."""
    framed = _framed(pixels)
    height, width = framed.shape[2:]
    grid = framed.reshape(-1, columns, 3, height, width).transpose(0, 3, 1, 4, 2)
    return np.asarray(grid.reshape(-1, columns * width, 3)[:-1, :-1])


class Plane:
    """A projection of points to a plane and a scale, the same for all points that are drawn with it.

    Points with one coordinate are drawn as their distribution function. Points with more than two are projected to the
    two directions in which the reference varies most. Coordinates that vary very differently are standardised.
    """

    def __init__(self, reference: np.ndarray):
        """Choose the directions and the scale by a reference of (N, D) points."""
        finite = reference[np.isfinite(reference).all(1)].astype("float64")
        projects = reference.shape[1] > 2 and len(finite)
        self.middle, self.spread = np.zeros(reference.shape[1]), np.ones(reference.shape[1])
        spread = finite.std(0) if len(finite) else self.spread
        if uneven := spread.max() > _MAX_SPREAD_RATIO * spread[spread > 0].min(initial=np.inf):
            self.spread = np.where(spread > 0, spread, 1)
        if projects or uneven:
            self.middle = finite.mean(0)
        self.axes = np.linalg.svd(self._scaled(finite), full_matrices=False)[2][:2] if projects else None
        self.limit = 1.0
        flat = np.abs(self.flat(finite))
        self.limit = (float(np.quantile(flat, 0.995)) if flat.size else 0.0) * 1.1 or 1.0

    def flat(self, points: np.ndarray) -> np.ndarray:
        """Return (M, 2) coordinates in the plane of those of (N, D) points that are finite."""
        points = self._scaled(points[np.isfinite(points).all(1)].astype("float64"))
        if points.shape[1] == 1:
            share = (np.arange(len(points)) + 0.5) / max(1, len(points))
            return np.stack([np.sort(points[:, 0]), self.limit * (2 * share - 1)], 1)
        return points if self.axes is None else points @ self.axes.T

    def scatter(self, points: np.ndarray) -> Image.Image:
        """Draw (N, D) points on a transparent background, so that they are visible on a light and a dark page.

        Points outside the plane's limit are drawn at the edge.
        """
        size = 2 * _SCATTER_SIZE  # drawn at twice the size and halved, which smooths the edges
        image = Image.new("RGBA", (size, size), (0, 114, 178, 0))
        draw = ImageDraw.Draw(image)
        pixels = (np.clip(self.flat(points)[:2000] / self.limit, -0.99, 0.99) * [1, -1] + 1) / 2 * size
        for x, y in pixels:
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=(60, 130, 200, 200))
        return image.resize((_SCATTER_SIZE, _SCATTER_SIZE), Image.Resampling.LANCZOS)

    def _scaled(self, points: np.ndarray) -> np.ndarray:
        return np.asarray((points - self.middle) / self.spread)


def png(picture: Image.Image | np.ndarray) -> bytes:
    """Return a PNG file of a picture, or of (H, W, 3) bytes."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def data_uri(content: bytes, kind: str) -> str:
    """Return a URI that holds the content of a file; `kind` is its media type."""
    return f"data:{kind};base64," + base64.b64encode(content).decode()
