"""Code bases that print logs, by the names of their columns, and what each is known to print."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gansearch.diagnosis.training_log import Halves, Loss


@dataclass(frozen=True)
class Format:
    """A code base's log."""

    name: str
    columns: frozenset[str]
    """Names that are all in it."""
    loss: Loss | None = None
    """The loss that it has unless it was changed."""
    halves: Halves | None = None
    printed: bool | None = None
    """Whether it is of printed lines, where the names alone could be anybody's."""


def make(
    name: str, columns: str, loss: Loss | None = None, halves: Halves | None = None, printed: bool | None = None
) -> Format:
    """A format whose columns are separated by |."""
    return Format(name, frozenset(columns.split("|")), loss, halves, printed)


FORMATS = (
    make("the StyleGAN2-ADA code base", "Loss/scores/real|Loss/D/loss", "bce", "sum"),
    make("torch-mimicry", "errD|errG|Global Step"),
    make("pytorch/examples dcgan", "Loss_D|Loss_G|D(x)|D(G(z))", "bce", "sum"),
    make("pytorch-CycleGAN-and-pix2pix (CycleGAN)", "D_A|G_A|cycle_A", "lsgan", "mean"),
    make("pytorch-CycleGAN-and-pix2pix (pix2pix)", "G_GAN|G_L1|D_real|D_fake", "bce", "sum"),
    make("BigGAN-PyTorch", "itr|G_loss|D_loss_real|D_loss_fake", "hinge", "sum"),
    make("PyTorch-StudioGAN", "Gen_loss|Dis_loss"),
    make("Keras-GAN", "D loss|G loss|acc.", "bce", "mean", True),
    make("PyTorch-GAN", "D loss|G loss|Epoch|Batch", None, "mean", True),
    make("a GAN of lucidrains", "G|D|GP", "hinge", "sum", True),
    make("rosinality/stylegan2-pytorch", "d|g|r1", "bce", "sum"),
    make("HiFi-GAN", "Gen Loss Total"),
    make("coqui TTS", "GLOBAL_STEP"),
    make("taming-transformers", "train/disc_loss|train/logits_real", "hinge", "mean"),
    make("LlamaGen", "discriminator_adv_loss", "hinge", "mean"),
    make("BasicSR", "l_d_real|l_d_fake", "bce", "sum"),
    make("CTGAN", "Gen|Discrim", "wgan", "sum", True),
    make("CTGAN", "Generator Loss|Distriminator Loss", "wgan", "sum"),
    make("TimeGAN", "g_loss_u|d_loss", "bce"),
    make("MONAI", "g_loss|d_loss|Iter|Epoch", None, None, True),
    make("Keras", "bar"),
    make("Lightning's CSVLogger", "epoch|step", printed=False),
)
"""In the order in which they are tried."""


def format_of(names: Collection[str], printed: bool) -> Format | None:
    """The first format whose columns are all there."""
    have = frozenset(names)
    return next((one for one in FORMATS if one.columns <= have and one.printed in (None, printed)), None)
