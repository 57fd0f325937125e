"""MAUVE, a distance between texts."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from gansearch.gan.distances.reals import reals_of
from gansearch.gan.features.pretrained import text_features

_SCALE = 5.0
_POINTS = 25
_IN_A_CLUSTER = 10
_KEPT = 0.9
"""Share of the variance that is clustered."""


def mauve(real: Sequence[str], fake: Sequence[str], weights: str = "") -> dict[str, float]:
    """Returns distance = −ln MAUVE* of N real and as many made-up texts, and `mauve`, MAUVE* itself, in (0, 1].

    The features are GPT-2's, with the weights of `gansearch.gan.features.pretrained`. Raises TaskError.
    """
    count = min(len(real), len(fake))
    reals = reals_of(real[:count], _features(weights)).features
    value = mauve_star(reals.numpy(), _features(weights)(fake[:count]).numpy())
    return {"distance": max(0.0, -math.log(value)), "mauve": value}


def mauve_star(real: np.ndarray, fake: np.ndarray) -> float:
    """Returns MAUVE* of (N, D) and (N, D) features: Pillutla et al. 2023 (arXiv 2212.14578, sections 3 and 4).

    Both are clustered together, N/10 clusters by k-means of the principal components of unit vectors that have 90% of
    the variance; P and Q are their shares, each with half a sample more (the star), so that few samples say less. MAUVE
    is the area under the curve of exp(−5 KL(Q ‖ R)), exp(−5 KL(P ‖ R)) over R = wP + (1 − w)Q.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    both = np.concatenate([real, fake]).astype(np.float64)
    both /= np.linalg.norm(both, axis=1, keepdims=True) + 1e-12
    components = PCA(random_state=0).fit(both)
    kept = 1 + int(np.searchsorted(components.explained_variance_ratio_.cumsum(), _KEPT))
    clusters = max(2, round(len(real) / _IN_A_CLUSTER))
    with warnings.catch_warnings(action="ignore"):  # of texts that are alike there are fewer clusters
        labels = KMeans(clusters, n_init=5, random_state=0).fit_predict(components.transform(both)[:, :kept])
    counts = (np.bincount(part, minlength=clusters) + 0.5 for part in np.split(labels, [len(real)]))
    p, q = (part / part.sum() for part in counts)
    mixtures = np.linspace(1 - 1e-6, 1e-6, _POINTS)[:, None] * (p - q) + q
    x, y = (np.exp(-_SCALE * (part * np.log(part / mixtures)).sum(1)) for part in (q, p))
    return float(np.trapezoid([1.0, *y, 0.0], [0.0, *x, 1.0]))


@functools.cache
def _features(weights: str) -> functools.partial[Tensor]:
    return functools.partial(text_features, weights=weights)
