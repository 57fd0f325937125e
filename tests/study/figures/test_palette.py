"""The verdicts' colours can be told apart, by the colour-blind too, on light and on dark paper."""

import itertools

import numpy as np
import pytest

from gansearch.stability.verdict import ADVICE, MEANING, VERDICTS
from gansearch.study.figures.palette import COLOURS, DARK, LIGHT, SYMBOLS

# Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
SEEN = {
    "all colours": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB under D65 of linear RGB."""
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    x, y, z = np.cbrt(np.array(to_xyz) @ np.clip(rgb, 1e-6, 1) / [0.95047, 1, 1.08883])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", SEEN)
def test_every_two_verdicts_differ_in_colour(eyes: str) -> None:
    colours = {verdict: lab(np.array(SEEN[eyes]) @ linear(colour)) for verdict, colour in COLOURS.items()}
    for one, other in itertools.combinations(colours, 2):
        assert np.linalg.norm(colours[one] - colours[other]) > 12, (one, other)


@pytest.mark.parametrize("paper", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_the_paper(paper: dict[str, str]) -> None:
    def contrast(colour: str) -> float:
        dark, light = sorted(float(linear(one) @ [0.2126, 0.7152, 0.0722]) for one in (colour, paper["card"]))
        return (light + 0.05) / (dark + 0.05)

    assert contrast(paper["ink"]) > 7
    assert contrast(paper["muted"]) > 4.5
    assert min(contrast(colour) for colour in COLOURS.values()) > 2.2


def test_every_verdict_has_one_colour_and_one_symbol() -> None:
    assert set(COLOURS) == set(SYMBOLS) == set(VERDICTS) == set(MEANING) == set(ADVICE)
    assert len(set(COLOURS.values())) == len(set(SYMBOLS.values())) == len(VERDICTS)
