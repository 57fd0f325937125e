"""Writes free data as files into a folder, for the built-in tasks that read files.

    python benchmarks/modalities_data.py images DIR     # 1,797 handwritten digits, as PNG files in ten folders
    python benchmarks/modalities_data.py photographs DIR  # patches of two colour photographs, as PNG files
    python benchmarks/modalities_data.py music DIR      # 576 notes of three synthesised instruments, as wav files
    python benchmarks/modalities_data.py speech DIR     # ten spoken words in twelve voices, as wav files; espeak-ng
    python benchmarks/modalities_data.py prose DIR      # the licence texts of Python and its packages, as txt files
    python benchmarks/modalities_data.py table DIR      # scikit-learn's breast cancer data, as a CSV file

Nothing is downloaded: digits, photographs and the table come with scikit-learn.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import itertools
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

RATE = 8_000
"""Samples a second of the notes."""
VOICES = [
    f"{language}+{variant}" for language in ("en-us", "en-gb") for variant in ("m1", "m3", "m7", "f1", "f2", "f4")
]
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPEEDS = (130, 150, 170, 190, 210)
"""Words a minute."""


class Missing(RuntimeError):
    """A program that the data need is not installed."""


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


def music(folder: Path) -> int:
    """Notes of half a second, C3 to B4, of three instruments, each played softly and loudly, a wav file each."""
    import soundfile

    for name, instrument in {"pluck": _pluck, "pipe": _pipe, "bell": _bell}.items():
        for pitch, force, take in itertools.product(range(48, 72), (0.4, 1.0), range(4)):
            draws = np.random.default_rng([pitch, int(10 * force), take, len(name)])
            frequency = 440 * 2 ** ((pitch - 69) / 12) * (1 + 0.002 * draws.standard_normal())
            sound = instrument(frequency, force, draws)
            soundfile.write(folder / f"{name}-{pitch}-{force}-{take}.wav", 0.9 * sound / np.abs(sound).max(), RATE)
    return len(list(folder.iterdir()))


def speech(folder: Path) -> int:
    """The ten digits spoken by espeak-ng, in several voices and speeds, a wav file each."""
    if shutil.which("espeak-ng") is None:
        raise Missing("it needs espeak-ng: apt-get install espeak-ng")
    for word, voice, speed in itertools.product(WORDS, VOICES, SPEEDS):
        file = folder / f"{word}-{voice}-{speed}.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-w", file, word], check=True)
    return len(list(folder.iterdir()))


def prose(folder: Path) -> int:
    """The licence texts of Python and of the packages installed beside it, each once, a txt file each."""
    seen: set[str] = set()
    for number, file in enumerate(_licences()):
        text = file.read_text(encoding="utf-8", errors="ignore")
        key = " ".join(text.split()).lower()
        # Near copies differ in their holder, which stands at the beginning.
        if len(text) > 1_000 and key[-1_000:] not in seen:
            seen.add(key[-1_000:])
            (folder / f"{number:04d}.txt").write_text(text, encoding="utf-8")
    return len(seen)


def table(folder: Path) -> int:
    """Scikit-learn's breast cancer data: 569 rows, 30 numbers and the diagnosis."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    frame = bunch.frame.rename(columns={"target": "diagnosis"})
    frame["diagnosis"] = bunch.target_names[frame["diagnosis"]]
    frame.to_csv(folder / "breast_cancer.csv", index=False)
    return 1


KINDS: dict[str, Callable[[Path], int]] = {
    "images": images,
    "photographs": photographs,
    "music": music,
    "speech": speech,
    "prose": prose,
    "table": table,
}


def _pluck(frequency: float, force: float, draws: np.random.Generator) -> np.ndarray:
    """Karplus & Strong 1983: noise in a delay line with a low-pass filter. (RATE / 2,) samples."""
    period = round(RATE / frequency)
    string = draws.uniform(-1, 1, period)
    for _ in range(round(4 * (1 - force))):  # a soft touch has less treble
        string = (string + np.roll(string, 1)) / 2
    sound = np.empty(RATE // 2)
    for i in range(len(sound)):
        place = i % period
        sound[i] = string[place]
        string[place] = 0.996 * (string[place] + string[(place + 1) % period]) / 2
    return sound * _fade()


def _pipe(frequency: float, force: float, draws: np.random.Generator) -> np.ndarray:
    """Odd harmonics that swell, with a breath of noise."""
    time = np.arange(RATE // 2) / RATE
    swell = 1 - np.exp(-time / 0.03)
    sound = sum(
        force ** (k - 1) / k**1.5 * np.sin(2 * np.pi * k * frequency * time + draws.uniform(0, 6))
        for k in (1, 2, 3, 5, 7)
        if k * frequency < RATE / 2
    )
    return (sound + 0.02 * draws.standard_normal(len(time))) * swell * _fade()


def _bell(frequency: float, force: float, draws: np.random.Generator) -> np.ndarray:
    """Chowning 1973: frequency modulation in an inharmonic ratio, whose index dies away."""
    time = np.arange(RATE // 2) / RATE
    index = 3 * force * np.exp(-time / 0.12)
    phase = 2 * np.pi * frequency * time + draws.uniform(0, 6)
    return np.sin(phase + index * np.sin(1.4 * phase)) * np.exp(-time / 0.2) * _fade()


def _fade() -> np.ndarray:
    """The sound with a faded end, which does not click."""
    return np.minimum(1, (RATE // 2 - np.arange(RATE // 2)) / (0.02 * RATE))


def _licences() -> Iterator[Path]:
    yield from sorted(Path(sysconfig.get_path("stdlib")).glob("LICENSE*"))
    for distribution in sorted(importlib.metadata.distributions(), key=lambda d: d.metadata["Name"].lower()):
        for file in sorted(distribution.files or []):
            path = Path(str(distribution.locate_file(file)))
            if re.match(r"(LICEN[CS]E|COPYING)", path.name, re.IGNORECASE) and path.is_file():
                yield path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path, metavar="DIR")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    try:
        print(f"{KINDS[given.kind](given.folder):,} files in {given.folder}")
    except Missing as error:
        sys.exit(f"{given.kind}: {error}")


if __name__ == "__main__":
    main()
