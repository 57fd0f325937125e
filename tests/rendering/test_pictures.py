"""Samples become pictures that show them."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from gansearch.rendering.pictures import Plane, image_grid, triptychs
from gansearch.rendering.render import show
from gansearch.store.samples import SampleSet


def pictures(samples: list[np.ndarray]) -> list[str]:
    return [one.picture for one in show([SampleSet(array) for array in samples])]


def decode(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,")))))


def test_images_lie_in_reading_order() -> None:
    samples = np.linspace(-1, 1, 4)[:, None, None, None] * np.ones((1, 1, 8, 8))
    grid = decode(pictures([samples])[0])
    assert grid.shape == (17, 17, 3)
    assert [grid[y, x, 0] for y, x in ((0, 0), (0, 9), (9, 0), (9, 9))] == [0, 85, 170, 255]


@pytest.mark.parametrize("shape", [(70, 8, 8), (70, 1, 8, 8), (70, 3, 16, 8)])
def test_kinds_of_images(shape: tuple[int, ...]) -> None:
    grid = image_grid(np.zeros(shape))
    height, width = shape[-2:]
    assert grid.shape == (8 * (height + 1) - 1, 8 * (width + 1) - 1, 3)


def test_large_images_are_few() -> None:
    grid = image_grid(np.zeros((64, 3, 256, 256)))
    assert grid.shape == (2 * 257 - 1, 2 * 257 - 1, 3)


@pytest.mark.parametrize("shape", [(0, 1, 8, 8), (9, 3), (9, 1, 100), (9, 2, 8, 8), (9,)])
def test_other_arrays_have_no_picture(shape: tuple[int, ...]) -> None:
    assert pictures([np.zeros(shape)]) == [""]


def test_points_are_drawn_up_and_to_the_right_on_one_scale() -> None:
    near, far = np.full((50, 2), 0.5), np.full((50, 2), 2.0)
    one, other = (decode(uri)[..., 3] for uri in pictures([near, far]))
    (y1, x1), (y2, x2) = (np.argwhere(alpha > 100).mean(0) for alpha in (one, other))
    assert x1 > 160 > y1
    assert (x2 - 160) / (x1 - 160) == pytest.approx(4, abs=0.2)
    assert (160 - y2) / (160 - y1) == pytest.approx(4, abs=0.2)


def test_nan_samples_are_no_error() -> None:
    found = pictures([np.full((20, 2), np.nan), np.full((4, 1, 8, 8), np.nan)])
    assert found[0] == ""
    assert found[1] != ""


def test_points_of_many_numbers_are_seen_along_the_two_directions_in_which_the_reals_vary_most() -> None:
    random = np.random.default_rng(0)
    turned = np.linalg.qr(random.normal(size=(5, 5)))[0]
    reals = random.normal(size=(500, 5)) * [0.1, 3, 0.1, 1, 0.1] @ turned + 7
    flat = Plane(reals).flat(reals)
    assert flat.std(0) == pytest.approx([3, 1], rel=0.15)
    assert abs(flat.mean(0)).max() < 1e-6


def test_numbers_that_vary_very_differently_are_brought_to_the_same_spread() -> None:
    reals = np.random.default_rng(0).normal([5, -40], [0.1, 300], (500, 2))
    flat = Plane(reals).flat(reals)
    assert flat.std(0) == pytest.approx([1, 1])
    assert abs(flat.mean(0)).max() < 1e-6
    same = np.array([[7.0, 0.0], [7.0, 1.0]])  # a number that never varies says nothing
    assert Plane(same).flat(same).tolist() == same.tolist()


def test_points_outside_are_at_the_edge() -> None:
    alpha = np.asarray(Plane(np.array([[1.0, 1.0], [-1.0, -1.0]])).scatter(np.array([[50.0, 0.0]])))[..., 3]
    assert alpha[150:170, -5:].max() > 100
    assert alpha[:, :300].max() == 0


def test_points_of_one_number_are_a_distribution_function() -> None:
    plane = Plane(np.array([[0.0], [4.0], [2.0]]))
    flat = plane.flat(np.array([[4.0], [0.0], [np.nan], [2.0], [1.0]]))
    assert flat[:, 0].tolist() == [0, 1, 2, 4]
    assert (np.diff(flat[:, 1]) > 0).all()


def test_pairs_lie_between_their_inputs_and_targets_in_reading_order() -> None:
    def level(*levels: float) -> np.ndarray:
        return np.array(levels)[:, None, None, None] * np.ones((1, 1, 8, 8))

    inputs, fakes, targets = level(-1, -1, -1, -1), level(0.2, 0.4, 0.6, 0.8), level(1, 1, 1, 1)
    grid = triptychs(inputs[:, :, ::2, ::2], fakes, targets)
    assert grid.shape == (17, 57, 3)
    found = [[int(grid[y, x, 0]) for x in (0, 9, 18, 29, 38, 47)] for y in (0, 9)]
    assert found == [[0, 153, 255, 0, 178, 255], [0, 204, 255, 0, 230, 255]]
    assert triptychs(inputs[:, :, :3, :3], fakes, targets) is None  # no whole number of times as small
    assert triptychs(np.zeros((4, 5, 8, 8)), fakes, targets) is None  # five channels are no picture


@pytest.mark.parametrize(("count", "size"), [(64, 8), (20, 64), (5, 128), (3, 256), (1, 32), (64, 16)])
def test_pairs_fit_a_page(count: int, size: int) -> None:
    images = np.zeros((count, 3, size, size))
    height, width, _ = triptychs(images, images, images).shape
    assert height <= max(300, 3 * size + 4)
    assert width <= max(300, 3 * size + 4)
