"""The distances by their names: on what features, from how many samples, with which bias."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from gansearch.gan.data import read_of
from gansearch.gan.distances.estimate import Estimator, positive
from gansearch.gan.distances.extrapolation import frechet_infinity
from gansearch.gan.distances.kernel import cmmd, kid
from gansearch.gan.distances.reals import Reals
from gansearch.gan.features.named import Features
from gansearch.gan.quality import frechet
from gansearch.gan.task import Task, TaskError

ENOUGH = 5_000
"""Samples of each kind from which a Fréchet distance is not corrected: as many as are held out at most."""
_LEAST = 10
_FOR_WIDTH = 2
"""Samples for each feature from which the correction is right to its error."""


@dataclass(frozen=True)
class Distance:
    """A distance between features of N reals and N fakes."""

    name: str
    unbiased: Estimator | None
    """For fewer than ENOUGH samples, or, without `plain`, for any number. None never corrects."""
    plain: Callable[[Tensor, Tensor], float] | None = None

    def is_plain(self, count: int) -> bool:
        """Returns whether the distance of so many samples of each kind is taken as it is."""
        return self.plain is not None and (count >= ENOUGH or self.unbiased is None)

    def measure(self, reals: Reals, fake: Tensor) -> dict[str, float]:
        """Returns the distance of N reals and (N, ...) features of fakes; an estimate, and its error, beside it.

        What is recorded as the distance is above 0 (`positive`). Raises TaskError where there are too few.
        """
        fake = fake.detach().flatten(1).cpu()
        count, width = min(len(reals.features), len(fake)), reals.features.shape[1]
        self.refuse(count, width)
        if self.plain is not None and self.is_plain(count):
            return {"distance": self.plain(reals.features, fake)}
        assert self.unbiased is not None
        value, error = self.unbiased(reals.features, fake)
        name = self.name if self.plain is None else f"{self.name}_infinity"
        return {"distance": positive(value, reals.noise(self.unbiased)), name: value, f"{name}_error": error}

    def refuse(self, count: int, width: int) -> None:
        """Raises TaskError where so many samples of each kind are too few for so many features."""
        if count < _LEAST:
            raise TaskError(f"distance: {self.name} of {count} samples says nothing; it takes {_LEAST} or more")
        if self.plain is not None and not self.is_plain(count) and count < _FOR_WIDTH * width:
            raise TaskError(
                f"distance: {self.name} of {count:,} held-out samples is mostly its own bias, which can be corrected "
                f"from {_FOR_WIDTH * width:,} on, twice the {width:,} features; write distance: kid, which has none"
            )

    def said(self, count: int, width: int, features: str) -> str:
        """Returns a line on the distance of so many samples of each kind, on so many features of this name."""
        if self.plain is None:
            how = "unbiased at any number; kept above 0, and quality has the estimate and its error"
        elif not self.is_plain(count):
            how = "too few for a plain one, so it is extrapolated to infinitely many (FID∞), with its error"
        elif self.unbiased is None:
            how = "larger by a bias that is about the same for all trials: compare within this task alone"
        else:
            how = "papers take 10,000 to 50,000, with which it is smaller"
        measured = f"{self.name} on {width:,} features ({features})"
        return f"distance: {measured} of {count:,} held-out samples and as many fakes: {how}"


DISTANCES = {
    one.name: one
    for one in (
        Distance("plain_frechet", None, frechet),
        Distance("frechet", frechet_infinity, frechet),
        Distance("kid", kid),
        Distance("fid", frechet_infinity, frechet),
        Distance("cmmd", cmmd),
        Distance("fd_dinov2", frechet_infinity, frechet),
        Distance("fad", frechet_infinity, frechet),
    )
}
NETWORKS = {"fid": "inception", "cmmd": "clip", "fd_dinov2": "dinov2", "fad": "clap"}
"""Whose features the distances of the literature are measured on."""
_USUAL = {network: distance for distance, network in NETWORKS.items()}


def chosen(distance: str, features: str, count: int) -> Distance:
    """Returns a distance by its name; `auto` is that of the literature, or kid where it would need a correction."""
    if distance != "auto":
        return DISTANCES[distance]
    usual = DISTANCES[_USUAL.get(features, "plain_frechet")]
    return usual if usual.plain is None or usual.is_plain(count) else DISTANCES["kid"]


def distance_told(task: Task, distance: str, features: Features | None, only_if_odd: bool = False) -> list[str]:
    """Returns a line on a task's distance, on features or on none, once its data are read.

    With `only_if_odd` there is one where it is not simply what was asked. Raises TaskError where too few samples are
    held out for it.
    """
    if (data := read_of(task)) is None:
        return []
    count = len(data.held_out)
    if features is None:
        samples = f"{count:,} held-out samples and as many fakes"
        said = f"distance: {distance} of {samples}: larger with fewer, so compare within this task alone"
        return [] if only_if_odd else [said]
    found = chosen(distance, features.name, count)
    width = features.width + data.classes  # which a task of ours compares beside its features
    found.refuse(count, width)
    odd = found.plain is not None and not found.is_plain(count)
    odd = odd or (distance == "auto" and found.name == "kid")
    return [found.said(count, width, features.name)] if odd or not only_if_odd else []
