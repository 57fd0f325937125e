"""Texts and tables of planted.py, with the faults that only they may have."""

from __future__ import annotations

import functools
import random
import tempfile
from pathlib import Path

import torch
from planted_data import Kind, Source, changed, shuffled, uniform
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.gan import Task, quality
from gansearch.gan.tasks import Prose
from gansearch.stability.observer import Observation, observe_rows

LENGTH = 32
"""Characters of a window of text."""
TOPICS = (
    ("captain sailor gull pilot", "sees steers follows repairs", "ship harbour storm lighthouse island anchor"),
    ("farmer shepherd mule hen", "feeds waters guards finds", "field barn orchard fence meadow plough"),
    ("cook baker guest waiter", "tastes carries spills orders", "soup bread kettle table pepper dinner"),
    ("teacher pupil clerk poet", "reads copies explains forgets", "letter lesson window blackboard verse page"),
)
"""Who, does, what: of the sea, of a farm, of a kitchen and of a school."""
ADJECTIVES = ["old", "young", "quiet", "small", "hungry", "clever", "tired", "new"]


def prose(characters: int, seed: int, missing: int = 0, doubled: float = 0.0) -> str:
    """So many characters of English sentences; a share of the words may be said twice."""
    draw, words, length = random.Random(seed), [], 0
    while length <= characters:
        who, does, what = (part.split() for part in draw.choice(TOPICS[: len(TOPICS) - missing]))
        sentence = f"the {draw.choice(ADJECTIVES)} {draw.choice(who)} {draw.choice(does)} the {draw.choice(what)}."
        for word in sentence.split():
            words += [word, word] if draw.random() < doubled else [word]
        length = length + len(sentence) + 1
    return " ".join(words)[:characters]


def texts() -> Kind:
    """Sentences, as windows of 32 characters."""
    text = prose(4_000 * LENGTH, 0)
    alphabet = "".join(sorted(set(text)))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "text.txt").write_text(text)
        task = Prose(path=folder, length=LENGTH, width=32, blocks=1)
        assert task.real().shape[1:] == (len(alphabet), LENGTH)  # read now: the folder goes

    def one_hot(written: str) -> Tensor:
        codes = torch.tensor([alphabet.index(character) for character in written]).view(-1, LENGTH)
        return F.one_hot(codes, len(alphabet)).transpose(1, 2).float()

    def sound(n: int, draws: torch.Generator, missing: int = 0, doubled: float = 0.0) -> Tensor:
        seed = int(torch.randint(2**40, (), generator=draws)) + 1
        return one_hot(prose(n * LENGTH, seed, missing, doubled))

    def one_word(n: int, draws: torch.Generator) -> Tensor:
        words = prose(8 * n, int(torch.randint(2**40, (), generator=draws)) + 1).replace(".", "").split()[:n]
        return one_hot("".join((f"{word} " * LENGTH)[:LENGTH] for word in words))

    def noise(n: int, draws: torch.Generator) -> Tensor:
        codes = torch.randint(len(alphabet), (n, LENGTH), generator=draws)
        return F.one_hot(codes, len(alphabet)).transpose(1, 2).float()

    own = {
        "repeated words: one in ten said twice": functools.partial(sound, doubled=0.1),
        "repeated words: one word all along": one_word,
    }
    return Kind("sentences", task, sound, functools.partial(sound, missing=1), noise, own=own)


COLUMNS = ("age", "school", "hours", "wage", "tax", "region", "children", "years_at_firm")


def wages(n: int, draws: torch.Generator, missing: int = 0) -> Tensor:
    """(n, 8) rows of employees: whole numbers, codes, most of the hours 40, wage and tax to the cent, a free amount."""
    uniform = functools.partial(torch.rand, n, generator=draws)
    normal = functools.partial(torch.randn, n, generator=draws)
    age = (18 + 48 * uniform()).floor()
    school = torch.minimum((11 + 3 * normal()).round().clamp(6, 20), age - 5)
    hours = torch.where(uniform() < 0.6, 40.0, (36 + 9 * normal()).round().clamp(5, 80))
    wage = hours / 40 * (6 + 0.09 * school + 0.012 * age + 0.35 * normal()).exp()
    wage = (100 * wage).round() / 100
    tax = (20 * (wage - 1_000).clamp(min=0)).round() / 100
    region = torch.randint(5 - missing, (n,), generator=draws).float()
    children = torch.poisson(torch.full((n,), 1.2), generator=draws)
    years = ((age - 17) * uniform().square()).floor()
    return torch.stack([age, school, hours, wage, tax, region, children, years], 1)


class Wages(Task):
    """3,000 rows in standard deviations, judged as the task table judges rows."""

    def __init__(self) -> None:
        self.rows = wages(3_000, torch.Generator().manual_seed(0))
        self.mean, self.spread = self.rows.mean(0), self.rows.std(0)

    def standardised(self, rows: Tensor) -> Tensor:
        return (rows - self.mean) / self.spread

    def real(self) -> Tensor:
        return self.standardised(self.rows)

    def discriminator(self) -> nn.Module:
        width = 128
        first, second = nn.Linear(len(COLUMNS), width), nn.Linear(width, width)
        return nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2), nn.Linear(width, 1))

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        blocks = [[samples[:, [column]] for column in range(len(COLUMNS))] for samples in (real, fake)]
        marginals = [quality.marginal_distance(*pair) for pair in zip(*blocks, strict=True)]
        return {"distance": sum(marginals) / len(marginals) + quality.correlation_distance(*blocks)}

    def observe(self, real: Tensor, fake: Tensor) -> Observation:
        return observe_rows(real.numpy(), fake.numpy(), COLUMNS)


def tables() -> Kind:
    """Rows of a table, whose columns hang together."""
    task = Wages()

    def of_rows(source: Source) -> Source:
        return changed(source, task.standardised)

    def rounded(rows: Tensor, column: int, unit: float) -> Tensor:
        rows = rows.clone()
        rows[:, column] = (rows[:, column] / unit).round() * unit
        return rows

    def shifted(samples: Tensor, deviations: float) -> Tensor:
        """Whole numbers stay whole, cents stay cents."""
        unit = torch.where(torch.tensor([name in ("wage", "tax") for name in COLUMNS]), 0.01, 1.0)
        rows = samples * task.spread + task.mean + deviations * task.spread
        return task.standardised((rows / unit).round() * unit)

    wage, years, age = (COLUMNS.index(name) for name in ("wage", "years_at_firm", "age"))
    own = {
        "a column rounded: wage to 50": changed(wages, rounded, wage, 50),
        "a column rounded: age to 5": changed(wages, rounded, age, 5),
        "a column independent of the others: wage": changed(wages, shuffled, wage),
        "a column independent of the others: years_at_firm": changed(wages, shuffled, years),
    }
    own = {name: of_rows(source) for name, source in own.items()}
    without_mode = of_rows(functools.partial(wages, missing=1))
    return Kind("wages", task, of_rows(wages), without_mode, uniform(task.real()), shifted, own)
