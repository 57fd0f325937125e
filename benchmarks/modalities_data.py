"""Real, free data as files in a folder, for the built-in tasks that read the user's own.

    python benchmarks/modalities_data.py images DIR     # 1,797 handwritten digits, as PNG files in ten folders
    python benchmarks/modalities_data.py photographs DIR  # patches of two colour photographs, as PNG files

Nothing is downloaded: the digits and the photographs come with scikit-learn.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image


def images(folder: Path) -> int:
    """Scikit-learn's digits, 8×8 pixels; returns how many."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(label) / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 255 / 16).round().astype("uint8")).save(path)
    return len(digits.images)


def photographs(folder: Path, side: int = 64, step: int = 16) -> int:
    """Square patches of scikit-learn's two photographs, a temple and a flower; returns how many."""
    from sklearn.datasets import load_sample_images

    count = 0
    for name, image in zip(("china", "flower"), load_sample_images().images, strict=True):
        patches = np.lib.stride_tricks.sliding_window_view(image, (side, side, 3))[::step, ::step, 0]
        (folder / name).mkdir(parents=True, exist_ok=True)
        for patch in patches.reshape(-1, side, side, 3):
            Image.fromarray(patch).save(folder / name / f"{count:04}.png")
            count += 1
    return count


KINDS: dict[str, Callable[[Path], int]] = {"images": images, "photographs": photographs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path, metavar="DIR")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print(f"{KINDS[given.kind](given.folder):,} files in {given.folder}")


if __name__ == "__main__":
    main()
