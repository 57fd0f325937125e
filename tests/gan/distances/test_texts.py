import numpy as np
import pytest
import torch

from gansearch.gan.distances import texts
from gansearch.gan.distances.texts import mauve, mauve_star


def two(count, shift=0.0):
    random = np.random.default_rng(0)
    centres = random.normal(size=(8, 6))
    return tuple(centres[random.integers(8, size=count)] + 0.1 * random.normal(size=(count, 6)) + s for s in (0, shift))


def test_mauve_is_near_1_for_the_same_and_near_0_for_what_is_apart():
    same, near, far = (mauve_star(*two(400, shift)) for shift in (0.0, 0.15, 5.0))
    assert 0.9 < same <= 1
    assert same > near > far > 0
    assert far < 0.05


def test_it_is_the_area_under_the_curve_written_out():
    real, fake = np.array([[1.0, 0]] * 15 + [[0, 1.0]] * 5), np.array([[1.0, 0]] * 5 + [[0, 1.0]] * 15)  # two clusters
    p, q = np.array([15.5, 5.5]) / 21, np.array([5.5, 15.5]) / 21
    points = [(0.0, 1.0)]
    for w in np.linspace(1e-6, 1 - 1e-6, 25):
        r = w * p + (1 - w) * q
        points.append((np.exp(-5 * np.sum(q * np.log(q / r))), np.exp(-5 * np.sum(p * np.log(p / r)))))
    points.append((1.0, 0.0))
    x, y = zip(*sorted(points), strict=True)
    assert mauve_star(real, fake) == pytest.approx(np.trapezoid(y, x), abs=1e-9)


def test_it_is_the_librarys_number():
    library = pytest.importorskip("mauve", reason="pip install mauve-text", exc_type=ImportError)
    for shift in (0.0, 0.15):  # clusters are found from random starts
        real, fake = two(1_000, shift)
        theirs = library.compute_mauve(p_features=real, q_features=fake, verbose=False)
        assert mauve_star(real, fake) == pytest.approx(theirs.mauve_star, rel=0.1)


def test_the_distance_grows_as_mauve_falls(monkeypatch):
    monkeypatch.setattr(texts, "text_features", lambda some, weights: torch.tensor([[len(t), 1.0] for t in some]))
    texts._features.cache_clear()
    same = mauve(["a", "bb", "ccc"] * 20, ["bb", "a", "ccc"] * 20)
    other = mauve(["a", "bb", "ccc"] * 20, ["bb", "dddddd", "ccc"] * 20)
    texts._features.cache_clear()
    assert same == {"distance": pytest.approx(0, abs=1e-6), "mauve": pytest.approx(1)}
    assert other["distance"] == pytest.approx(-np.log(other["mauve"]))
    assert other["distance"] > 0.5
