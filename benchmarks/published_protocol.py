"""What is rerun of published tables: tasks, budgets, rows, and the numbers that the papers print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gansearch.experiment import Experiment, Training

SEEDS = range(20_000, 20_010)
"""Fresh seeds of every row: those of `gansearch train`, which neither trials nor their race use."""
BALANCE: dict[str, Any] = {
    "lr_decay": {"low": 0.0, "high": 1.0},
    "pretrain_steps": {"low": 0, "high": 400},
    "balance": {"choices": ["fixed", "held"]},
    "update_ratio": {"low": 0.4, "high": 2.5, "log": True, "when": {"balance": "fixed"}},
    "target_separability": {"low": 0.52, "high": 0.85, "when": {"balance": "held"}},
    "beta1": {"choices": [0.0, 0.5, 0.8]},
    "beta2": {"choices": [0.9, 0.99, 0.999]},
}
"""The space of the balance alone, beside the rates, which are around the paper's: do they fall, whose turn, Adam's."""
R1 = {"r1_gamma": {"low": 1e-3, "high": 1.0, "log": True}}


@dataclass(frozen=True)
class Row:
    """A line of a table, trained on `SEEDS`: its settings beside the table's, or what is searched."""

    title: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    search: Mapping[str, Any] = field(default_factory=dict)
    unseen: bool = False
    """Whether the sampler's prior is without the recorded runs of the table's mixture."""
    seed: int = 0
    """Of the search."""


ROWS = {
    "paper": Row("the paper's settings, simultaneous updates", {"simultaneous": True}),
    "alternating": Row("the same, alternating updates"),
    "falling": Row("the same, and both rates falling to 0", {"lr_decay": 1.0}),
    "balance": Row("gansearch, the balance alone", search=BALANCE),
    "balance-unseen": Row("the same, and its prior does not know this mixture", search=BALANCE, unseen=True),
    "balance-again": Row("the same once more, by other random numbers", search=BALANCE, unseen=True, seed=1),
    "balance-r1": Row("gansearch, the balance and R1", search=BALANCE | R1),
}


MIXTURE = {"modes_2pct": "with 2% of the samples", "modes_hit": "with one sample", "high_quality": "high quality"}
STACKED = {"modes_hit": "among 25,600 samples", "kl": "KL divergence from equal shares"}


@dataclass(frozen=True)
class Table:
    """A published table: its task, its training, the budget of every training, and what its paper prints."""

    title: str
    task: str
    modes: int
    training: Mapping[str, Any]
    updates: int
    paper_updates: int
    """Of D and G together, in the paper."""
    printed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By method the counts that the paper prints."""
    counts: Mapping[str, str] = field(default_factory=lambda: MIXTURE)
    """What is counted, and what its column is called; first the modes of which a seed may have all."""
    trials: int = 24
    mixture: str = "ring"
    """The built-in task whose runs the sampler's prior has of this mixture."""
    module: str = "published_tasks"
    alternating: bool = False
    """Whether D and G take turns in the paper as well."""

    @property
    def rows(self) -> dict[str, str]:
        """The titles of the rows that the table has."""
        titles = {name: row.title for name, row in ROWS.items()}
        if self.alternating:
            del titles["paper"]
            titles["alternating"] = "the paper's settings, D and G in turn"
        return titles

    @property
    def path(self) -> str:
        """The task as an experiment names it."""
        return f"{Path(__file__).with_name(self.module)}.py:{self.task}"

    def training_of(self, row: Row) -> Training:
        """The training of a row, or what its search starts from."""
        return Training(updates=self.updates, **{**self.training, **row.changes})

    def experiment(self, name: str) -> Experiment:
        """The sweep of a row that is searched: first the settings of the rows above it, then many near the paper's."""
        row = ROWS[name]
        lr, ratio, betas = self.training["lr"], self.training.get("lr_ratio", 1.0), self.training["betas"]
        space = {
            "lr": {"low": lr / 3, "high": lr * 10, "log": True, "prior": lr},
            "lr_ratio": {"low": ratio / 5, "high": ratio * 5, "log": True},
            **row.search,
            "pretrain_steps": {"low": 0, "high": min(400, self.updates // 10)},
        }
        start = {"lr": lr, "lr_ratio": ratio, "pretrain_steps": 0, "balance": "fixed", "update_ratio": 1.0}
        start |= {"beta1": betas[0], "beta2": betas[1]}
        return Experiment(
            name=f"published-{name}",
            task=self.path,
            training=self.training_of(row),
            search=space,
            trials=self.trials,
            seed=row.seed,
            start_from=[start | {"lr_decay": decay} for decay in (0.0, 1.0)],
            confirm={"top": 3, "replicas": 3, "default": False},
            resources={"gpus": 0},
        )


PACGAN = {"lr": 1e-4, "betas": (0.8, 0.999), "batch_size": 100}
UNROLLED = {"lr": 1e-7**0.5, "lr_ratio": 0.1, "betas": (0.5, 0.999), "batch_size": 512}
"""lr_D = 1e-4, lr_G = 1e-3."""
PACDCGAN = {"lr": 2**0.5 * 1e-4, "lr_ratio": 2.0, "betas": (0.5, 0.99), "batch_size": 128, "channels_last": True}
"""lr_D = 2e-4, lr_G = 1e-4; D and G in turn. `channels_last` only makes it faster."""
TABLES = {
    "ring": Table(
        *("PacGAN's 2D-ring", "PacRing", 8, PACGAN, 4_000, 800_000),
        {
            "GAN": {"modes_hit": "6.3 ± 0.5", "high_quality": "98.2%"},
            "PacGAN2": {"modes_hit": "7.9 ± 0.1", "high_quality": "95.6%"},
            "PacGAN4": {"modes_hit": "7.8 ± 0.1", "high_quality": "95.9%"},
        },
    ),
    "grid": Table(
        *("PacGAN's 2D-grid", "PacGrid", 25, PACGAN, 4_000, 800_000),
        {
            "GAN": {"modes_hit": "17.3 ± 0.8", "high_quality": "94.8%"},
            "PacGAN2": {"modes_hit": "23.8 ± 0.7", "high_quality": "91.3%"},
            "PacGAN4": {"modes_hit": "24.8 ± 0.2", "high_quality": "93.6%"},
        },
        mixture="grid",
    ),
    "unrolled": Table("The ring of unrolled GANs", "UnrolledRing", 8, UNROLLED, 10_000, 50_000),
    "stacked": Table(
        *("Stacked MNIST, D a quarter of G's size", "StackedDigits", 1_000, PACDCGAN, 5_000, 1_000_000),
        {
            "Unrolled GAN, 10 steps": {"modes_hit": "327.2 ± 74.7", "kl": "4.66 ± 0.46"},
            "DCGAN": {"modes_hit": "78.5 ± 17.6", "kl": "5.21 ± 0.19"},
            "PacDCGAN2": {"modes_hit": "484.5 ± 33.0", "kl": "2.61 ± 0.22"},
            "PacDCGAN4": {"modes_hit": "667.4 ± 29.0", "kl": "1.81 ± 0.15"},
        },
        STACKED,
        mixture="digits",
        module="published_stacked",
        alternating=True,
    ),
}
QUICK = Table("a ring by small networks", "UnrolledRing", 8, {"lr": 1e-3, "betas": (0.8, 0.999)}, 200, 50_000, trials=3)
"""For `--quick`."""
