import numpy as np
import pytest
from PIL import Image

from gansearch.gan.readers.pixels import Levels, extent_of, is_deep, plain

RANDOM = np.random.default_rng(0)


def levels_of(*pictures):
    return Levels(lambda: [extent_of(one) for one in pictures])


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", [np.uint16, np.int32])
def test_integers_of_any_depth_become_their_upper_bits(bits, kind):
    pixels = np.arange(2**bits, dtype=kind).reshape(-1, 2)
    levels = levels_of(pixels)
    assert np.array_equal(levels.scaled(pixels), pixels >> (bits - 8))
    said = f"integers of more than 8 bits are the pixels of 1 picture: 0 or less is read as black and {2**bits - 1}"
    assert levels.warnings[0].startswith(said)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (0, 255)])
def test_real_numbers_have_their_usual_range(low, high):
    pixels = RANDOM.uniform(low, high, (50, 50)).astype(np.float32)
    levels = levels_of(pixels, pixels / 2)
    assert levels.scaled(pixels) == pytest.approx((pixels - low) / (high - low) * 255, abs=0.51)
    assert levels.scaled(pixels / 2).max() < 255 * (0.5 if low == 0 else 0.76)


def test_other_numbers_have_the_range_of_all_pictures_but_for_hot_pixels():
    scan = RANDOM.uniform(-1_000, 3_000, (50, 50)).astype(np.float32)
    dark = scan / 10
    scan[3, 3] = 1e9
    found = levels_of(scan, dark)
    assert found.scaled(scan).std() > 60
    assert found.scaled(dark).std() < 12
    assert "of 2 pictures: -" in found.warnings[0]


def test_pixels_that_are_no_numbers_are_black_and_told():
    pixels = RANDOM.random((9, 9)).astype(np.float32)
    pixels[0] = np.nan
    pixels[1] = np.inf
    found = levels_of(pixels)
    assert found.scaled(pixels)[0].max() == 0
    assert found.scaled(pixels)[1].min() == 255
    assert found.warnings[1] == "pixels that are no number (NaN) are read as black, in 1 picture"
    nothing = np.full((9, 9), np.nan)
    assert levels_of(nothing).scaled(nothing).max() == 0


def test_a_picture_of_a_kind_that_was_not_seen_before_has_its_own_range():
    assert levels_of().scaled(np.array([[0, 4_095]], np.uint16)).tolist() == [[0, 255]]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"])
def test_every_mode_becomes_grey_or_colour(mode):
    image = Image.new("RGB", (4, 4)).convert(mode) if ";" not in mode and mode != "LAB" else Image.new(mode, (4, 4))
    assert is_deep(image) == (mode in ("I", "F", "I;16"))
    assert plain(image, True, levels_of()).mode == "RGB"
    assert plain(image, False, levels_of()).mode == "L"
