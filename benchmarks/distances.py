"""How far distances of few samples are from the truth, what error they state, and what they take.

    python benchmarks/distances.py [--quick]

Two Gaussians of 64 features with variances 1/k, the second 1.3 times as wide and shifted by .06 in each feature, whose
Fréchet distance is known. Compared are the plain distance, the jackknife (gansearch.gan.distances.extrapolation), and
the line over 1/N through 15 random parts of N/10 to N samples (Chong & Forsyth 2020); and the KID of two draws of the
first Gaussian, which is 0, in its own standard errors.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import numpy as np
import torch
from torch import Tensor

from gansearch.gan.distances.extrapolation import frechet_infinity
from gansearch.gan.distances.kernel import kid
from gansearch.gan.quality import frechet

WIDTH, SCALE, SHIFT = 64, 1.3, 0.06
VARIANCES = 1 / torch.arange(1, WIDTH + 1).double()
TRUTH = WIDTH * SHIFT**2 + float(((SCALE - 1) ** 2 * VARIANCES).sum())


def two(count: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """(N, 64) samples of both Gaussians."""
    first, second = (torch.randn(count, WIDTH, generator=draws).double() * VARIANCES.sqrt() for _ in range(2))
    return first, SCALE * second + SHIFT


def line(real: Tensor, fake: Tensor, draws: torch.Generator) -> float:
    """The intercept of the line over 1/N."""
    sizes = np.linspace(len(real) // 10, len(real), 15).astype(int)
    found = [
        frechet(*(part[torch.randperm(len(part), generator=draws)[:size]] for part in (real, fake))) for size in sizes
    ]
    return float(np.polyfit(1 / sizes, found, 1)[1])


def spread(values: list[float]) -> str:
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}"


def seconds(estimate, count: int, width: int) -> float:
    real, fake = torch.randn(2, count, width)
    start = time.process_time()
    estimate(real, fake)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs, in less than a minute")
    quick = parser.parse_args().quick
    draws, runs, figures = torch.Generator().manual_seed(0), 5 if quick else 40, {}
    print(f"true Fréchet distance {TRUTH:.3f}; {runs} runs, mean ± standard deviation")
    print("| N | plain | jackknife, and the error it states | line through 15 parts |")
    for count in (128, 256) if quick else (128, 256, 640, 1280):
        pairs = [two(count, draws) for _ in range(runs)]
        values, errors = zip(*(frechet_infinity(*pair) for pair in pairs), strict=True)
        plain, lines = [frechet(*pair) for pair in pairs], [line(*pair, draws) for pair in pairs]
        print(
            f"| {count} | {spread(plain)} | {spread(list(values))}, {statistics.fmean(errors):.3f} | {spread(lines)} |"
        )
        figures[f"bias_{count}"] = abs(statistics.fmean(values) - TRUTH) / TRUTH
    null = [kid(two(200, draws)[0], two(200, draws)[0]) for _ in range(5 * runs)]
    figures["kid_at_zero"] = statistics.pstdev([one.value / one.error for one in null])
    print(f"KID of two draws of one Gaussian, in its errors: {spread([one.value / one.error for one in null])}")
    sizes = [(360, 64)] if quick else [(360, 64), (5_000, 64), (5_000, 2_048)]
    for name, estimate in (("kid", kid), ("frechet", frechet), ("frechet_infinity", frechet_infinity)):
        for count, width in sizes:
            taken = figures[f"{name}_seconds_{count}_{width}"] = seconds(estimate, count, width)
            print(f"{name} of {count:,} samples and {width:,} features: {taken:.2g} s of a processor")
    targets = {"bias": 0.3 if quick else 0.1, "kid_at_zero": [0.6, 1.2]}
    biased = max(value for name, value in figures.items() if name.startswith("bias"))
    ok = biased < targets["bias"] and 0.6 < figures["kid_at_zero"] < 1.2
    print(json.dumps({"benchmark": "distances", "figures": figures, "targets": targets, "ok": ok}))


if __name__ == "__main__":
    main()
