"""Which loss a GAN was trained with, and whether its discriminator's is a sum or a mean of two halves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from gansearch.diagnosis.numbers.errors import LogError, did_you_mean
from gansearch.diagnosis.numbers.names import ADVERSARIAL, DISCRIMINATOR, RECONSTRUCTION, one_of, words
from gansearch.diagnosis.roles.formats import Format
from gansearch.diagnosis.training_log import Halves, Loss

Values = Mapping[str, np.ndarray]
SPELLINGS: dict[str, Loss] = {
    **dict.fromkeys(("vanilla", "bce", "gan", "standard", "ns", "nsgan", "non-saturating", "non_saturating"), "bce"),
    **dict.fromkeys(("softplus", "logistic", "minimax", "dcgan", "original", "sgan", "cross_entropy"), "bce"),
    **dict.fromkeys(("bcewithlogitsloss", "bceloss", "binary_crossentropy", "stylegan2loss", "r3gan"), "bce"),
    "hinge": "hinge",
    "hinge_loss": "hinge",
    **dict.fromkeys(("lsgan", "ls", "mse", "least_squares", "least-squares", "mseloss", "l2"), "lsgan"),
    **dict.fromkeys(("wgan", "wgangp", "wgan-gp", "wgan_gp", "wasserstein", "w", "wgan_softplus", "wgan-div"), "wgan"),
}
"""How losses are called in options and configurations."""
KEYS = one_of(
    "gan_mode gan_type adv_loss adversarial_loss loss_type gan_loss gan_loss_type disc_loss loss_fn"
    " criterion loss adv_type adv_loss_type loss_mode loss_kwargs.class_name gan_opt.gan_type"
    " disc_loss_type"
)
OF_ANYTHING = ("mse", "mseloss", "l2")
"""Losses that other terms have as well, so that only a key of the adversarial one says that they are LSGAN's."""
CLAMPS = (100.0, 50.0, 16.118, 15.4249, 13.8155, 18.4207, 27.631)
"""Values at which implementations of the cross-entropy cut it off."""
PLATEAUS: tuple[tuple[Loss, Halves, float, float, float], ...] = (
    ("bce", "sum", 2 * np.log(2), np.log(2), 0.02),
    ("bce", "mean", np.log(2), np.log(2), 0.02),
    ("hinge", "sum", 2.0, 0.0, 0.05),
)
"""D's and G's losses of networks that cannot tell, as before training, with a tolerance."""


def checked(loss: str | None) -> Loss | None:
    """A loss that a user named.

    Raises:
        LogError: There is no such loss.
    """
    if loss is None:
        return None
    found = SPELLINGS.get(loss.lower())
    if found is None:
        allowed = ", ".join(get_args(Loss))
        raise LogError(f"loss: no loss is called {loss!r}, only {allowed}.{did_you_mean(loss, SPELLINGS)}")
    return found


def configured(config: Mapping[str, Any]) -> tuple[Loss, str] | None:
    """The loss that the files beside a log name, and where; None where they name none or several."""
    found: dict[Loss, str] = {}
    for path, value in config.items():
        low = path.lower().removesuffix(".value")
        last = low.rpartition(".")[2]
        if isinstance(value, str) and (last in KEYS or any(low.endswith(key) for key in KEYS if "." in key)):
            spelling, named = value.lower().rpartition(".")[2], {*words(path.removesuffix(".class_name"))}
            loss = SPELLINGS.get(spelling)
            of_gan = spelling not in OF_ANYTHING or named & (ADVERSARIAL | DISCRIMINATOR)
            if loss and of_gan and not named & RECONSTRUCTION:
                found.setdefault(loss, f"{path}: {value}")
    return next(iter(found.items())) if len(found) == 1 else None


def known_loss(
    values: Values, columns: Mapping[str, str], given: Loss | None, config: Mapping[str, Any], kind: Format | None
) -> tuple[Loss | None, str]:
    """The loss and how it is known, as far as the values do not speak against it."""
    if given:
        return given, "--loss"
    beside = configured(config)
    if beside and possible({**values, "g_loss": np.empty(0)}, beside[0]):  # G's is negative in the minimax game, too
        return beside[0], f"the configuration beside the log ({beside[1]})"
    seen = seen_loss(values, columns)
    if seen:
        return seen
    if kind and kind.loss and possible(values, kind.loss):
        return kind.loss, f"the default of {kind.name}"
    return None, ""


def possible(values: Values, loss: Loss) -> bool:
    """Whether values do not rule a loss out: only a critic's is negative, only a hinge's or critic's G's."""
    d, g = finite(values, "d_loss"), finite(values, "g_loss")
    if loss == "wgan":
        return True
    return not (d < -1e-6).any() and (loss == "hinge" or not (g < -1e-6).any())


def seen_loss(values: Values, columns: Mapping[str, str]) -> tuple[Loss, str] | None:
    """The loss that names and values themselves show."""
    d, g = finite(values, "d_loss"), finite(values, "g_loss")
    if (d < -1e-6).sum() >= min(2, len(d)) > 0:
        return "wgan", "the values: D's loss is negative, which only a critic's can be"
    if "critic" in columns.get("d_loss", "").lower():
        return "wgan", "the names of the columns"
    real, score = values.get("score_real"), values.get("score_fake")
    apart = None if real is None or score is None or "d_loss" not in values else real - score
    if apart is not None and (same(values["d_loss"], apart) or same(values["d_loss"], -apart)):
        return "wgan", "the values: D's loss is the difference of its scores"
    if score is not None and "g_loss" in values and same(values["g_loss"], -score):
        return "hinge", "the values: G's loss is minus the scores of its samples, and D's is never negative"
    if (g < -1e-6).sum() >= min(2, len(g)) > 0 and len(d):
        return "hinge", "the values: G's loss is negative and D's never"
    for clamp in CLAMPS:
        if any(np.isclose(one, clamp, rtol=1e-4, atol=0).sum() >= 3 for one in (d, g)):
            return "bce", f"the values: cut off at {clamp:g}, as cross-entropies are"
    if entropy_halves(values):
        return "bce", "the values: D's loss is the cross-entropy of D(x) and D(G(z))"
    plateau = first_plateau(values)
    if plateau:
        return plateau[0], "the values: the first are those of networks that cannot tell"
    return None


def known_halves(values: Values, loss: Loss | None, kind: Format | None, derived: bool) -> Halves | None:
    """Whether D's loss is a sum or a mean of its halves, None where nothing says it.

    Args:
        values: By role.
        loss: The loss.
        kind: The code base, if it is known.
        derived: D's loss is the sum of two columns.
    """
    if derived:
        return "sum"
    if "d_loss" not in values:
        return None
    if "d_loss_real" in values and "d_loss_fake" in values:
        both = values["d_loss_real"] + values["d_loss_fake"]
        if same(values["d_loss"], both):
            return "sum"
        if same(values["d_loss"], both / 2):
            return "mean"
    if loss == "wgan":
        return "sum"
    if loss == "bce":
        halves = entropy_halves(values)
        if halves:
            return halves
    plateau = first_plateau(values)
    if plateau and plateau[0] == loss:
        return plateau[1]
    return kind.halves if kind else None


def entropy_halves(values: Values) -> Halves | None:
    """Sum or mean, where D's loss is the cross-entropy that mean D(x) and D(G(z)) allow.

    By Jensen's inequality -ln E D(x) - ln(1 - E D(G(z))) is at most the sum of the halves, and near it.
    """
    if not {"p_real", "p_fake", "d_loss"} <= values.keys():
        return None
    d, real, fake = values["d_loss"], values["p_real"], values["p_fake"]
    ok = np.isfinite(d) & (real > 0) & (real < 1) & (fake > 0) & (fake < 1) & (d > 0)
    if ok.sum() < 8:
        return None
    bound = -np.log(real[ok]) - np.log1p(-fake[ok])
    slack = 0.02 * bound + 1e-3
    if (d[ok] >= bound - slack).mean() >= 0.9:
        return "sum" if np.median(d[ok] / bound) < 3 else None
    below = np.median(d[ok]) < 0.95 * np.median(bound)  # else the answers are of other batches than the loss
    if below and (2 * d[ok] >= bound - slack).mean() >= 0.9 and np.median(2 * d[ok] / bound) < 3:
        return "mean"
    return None


def first_plateau(values: Values) -> tuple[Loss, Halves] | None:
    """The loss and halves at whose chance level the first three records begin."""
    if not {"d_loss", "g_loss"} <= values.keys():
        return None
    d, g = finite(values, "d_loss")[:3], finite(values, "g_loss")[:3]
    for loss, halves, d_chance, g_chance, tolerance in PLATEAUS:
        near_d, near_g = np.abs(d - d_chance) < tolerance * d_chance, np.abs(g - g_chance) < 3 * tolerance
        if len(d) == len(g) and len(d) and (near_d & near_g)[0]:
            return loss, halves
    return None


def finite(values: Values, role: str) -> np.ndarray:
    """The finite values of a role."""
    found = values.get(role, np.zeros(0))
    return found[np.isfinite(found)]


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two columns are equal but for their rounding, in nearly all of at least three records."""
    ok = np.isfinite(one) & np.isfinite(other)
    if ok.sum() < 3:
        return False
    near = np.abs(one[ok] - other[ok]) <= 0.0021 + 0.002 * np.abs(one[ok])
    return bool(near.mean() >= 0.95) and bool(np.ptp(one[ok]) > 0.01)
