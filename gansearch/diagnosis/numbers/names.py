"""What a column is, by its name in anybody's spelling."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[A-Z]")
FUSED = re.compile(
    r"(d|g|dis|disc|discriminator|gen|generator|critic)(loss|err|error|acc|lr|adv|real|fake|cost|score)(real|fake)?"
)
FUSED_LAST = re.compile(r"(loss|err|error|acc|lr|cost)(d|g|dis|disc|gen)(real|fake)?")
PREFIX = re.compile(r"^.* - (?=\S)")
"""W&B's export writes the run's name before each column's."""
TOTAL = " of"
"""What the name of a counter's total ends in."""
SPREAD = re.compile(r"__(MIN|MAX)$")


def one_of(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


DISCRIMINATOR = one_of("d dis disc discr discrim discriminator distriminator critic netd")
GENERATOR = one_of("g gen gener generator netg")
LOSS = one_of("loss losses err error cost l objective")
REAL = one_of("real true reals")
FAKE = one_of("fake synth synthetic generated fakes")
ADVERSARIAL = one_of("adv adversarial gan")
SCORE = one_of("score scores logit logits output outputs out pred validity")
PROBABILITY = one_of("prob probs probability")
ACCURACY = one_of("acc accuracy")
PENALTY = one_of("gp penalty r1 r2 reg")
RECONSTRUCTION = one_of(
    "l1 l2 pix pixel mel cycle cyc idt identity rec recon reconstruction perceptual percep vgg lpips feat fea"
    " fm feature features content style tv kl nll mse mae stft spec supervised cls class aux kld dice"
)
FEATURES = one_of("feat fea fm feature features")
"""Words of feature matching, which is no adversarial loss even where it is called one."""
METRICS = re.compile(
    r"fid\d*[a-z]?|kid\d*[a-z]?|is\d+k|ppl\d*|pr\d+k\d|is|inception|mmd|swd|jsd|ssim|psnr|precision|recall|density|coverage"
)
VALIDATION = one_of("val valid validation test eval")
FILLER = one_of(
    "train training step epoch mean avg average running of the net network scalars stats metrics log"
    " current model losses loss total iter batch ema unweighted"
)
NO_ROLE = one_of(
    "weight weights factor lambda grad grads norm gradnorm gradient time num count scale coefficient coef"
    " pl path min max steps iters updates sec beta gamma ratio memory mem speed eta params minutes hours"
    " elapsed"
)
EPOCH = one_of("epoch epochs ep")
INNER = one_of(
    "step steps iter iters iteration iterations itr it update updates batch batches minibatch kimg tick"
    " nimg i idx index record run niter bar"
)
COUNTER_FILLER = one_of(
    "msg message data metrics log logs stats info val valid test eval global current total train training trainer"
    " progress n number no cur num"
)
EXACT = {
    "d(x)": "p_real",
    "d_x": "p_real",
    "d(real)": "p_real",
    "d(g(z))": "p_fake",
    "d_g_z": "p_fake",
    "d(fake)": "p_fake",
    "d(g(z))1": "p_fake",
    "d_g_z1": "p_fake",
    "d(g(z))2": "p_fake_after",
    "d_g_z2": "p_fake_after",
    "g_loss_u": "g_loss",
    "g_loss_s": "reconstruction",
    "g_loss_v": "reconstruction",
    "p_loss": "reconstruction",
    "dr": "d_real",
    "df": "d_fake",
    "c1": "d_loss_real",
    "c2": "d_loss_fake",
    "r_t": "sign_real",
    "ada_rt": "sign_real",
}
"""Names that words do not explain: DCGAN's, TimeGAN's (its unsupervised loss is the adversarial one) and ADA's."""


@dataclass(frozen=True)
class Meaning:
    """What a name says about its column."""

    role: str
    """A role of `training_log.ROLES`, `metric`, or `d_real` and `d_fake`: a half of the loss, or scores."""
    game: str = ""
    """What is left of the name: `a`, `2`, `local`."""
    rank: int = 0
    """Of several columns with one role the smallest is meant: adversarial before plain, training before validation."""
    run: str = ""
    """The run before the name in an export of W&B."""


@lru_cache(4096)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of a name, however it is spelled: `netD_loss`, `lossD`, `errD` and `D loss` alike.

    A letter and the digits at its end, as in `r1`, are one word.
    """
    found = []
    for part in re.findall(r"[A-Za-z]+\d*k?|\d+", name):
        low = part.lower()
        if low in RECONSTRUCTION or low in PENALTY or METRICS.fullmatch(low) or low in INNER:
            found.append(low)
            continue
        for word in WORD.findall(part):
            low = word.lower()
            fused = FUSED.fullmatch(low) or FUSED_LAST.fullmatch(low)
            found += [one for one in fused.groups() if one] if fused else [low]
    return tuple("d" if word == "netd" else "g" if word == "netg" else word for word in found)


@lru_cache(4096)
def counter(name: str) -> str | None:
    """`epoch` or `inner` for a name that counts epochs, or steps of any kind, else None."""
    found = set(words(PREFIX.sub("", name)))
    if found and found <= EPOCH | COUNTER_FILLER and found & EPOCH:
        return "epoch"
    if found and found <= INNER | COUNTER_FILLER and found & INNER:
        return "inner"
    return None


@lru_cache(4096)
def meaning(name: str) -> Meaning | None:
    """The role and game of a column by its name, None where it has none."""
    if SPREAD.search(name):
        return None
    prefix = PREFIX.match(name)
    run = prefix.group()[:-3] if prefix else ""
    bare = name[len(prefix.group()) :] if prefix else name
    exact = EXACT.get(bare.lower().rpartition("/")[2].replace(" ", ""))
    if exact:
        return Meaning(exact, run=run)
    std = bare.endswith((":std", "_std", "/std"))
    found = words(re.sub(r"[:_/]std$", "", bare) if std else bare)
    rest = [word for word in found if word not in VALIDATION]
    late = 10 * (len(rest) < len(found)) + 2 * (rest[-1:] == ["epoch"])
    given = role_of(rest, std)
    if given is None:
        return None
    role, used, rank = given
    game = " ".join(word for word in rest if word not in used and word not in FILLER)
    return Meaning(role, game, rank + late, run)


def role_of(found: list[str], std: bool) -> tuple[str, frozenset[str], int] | None:
    """A role, the words that it explains, and its rank."""
    have = frozenset(found)
    metric = next((word for word in found if METRICS.fullmatch(word)), None)
    if metric and not have & (LOSS | DISCRIMINATOR | GENERATOR):
        return None if std or "std" in have else ("metric", have, 0)
    half = "real" if have & REAL else "fake" if have & FAKE else ""
    if std:
        return (f"score_{half}_std", have, 0) if have & SCORE and half else None
    if have & {"sign", "signs"} and half:
        return f"sign_{half}", have, 0
    d, g = have & DISCRIMINATOR, have & GENERATOR
    if "lr" in have or {"learning", "rate"} <= have:
        used = d | g | LOSS | {"lr", "learning", "rate"}
        return ("lr_d" if d else "lr_g" if g else "lr"), used | {"opt", "optimizer", "adam", "a", "b"}, 0
    if have & {"augment", "aug", "ada"} and have <= {"augment", "aug", "ada", "p", "progress", "prob", "probability"}:
        return "augment", have, 0
    if have & ACCURACY:
        half = half or ("fake" if g and not d else "")
        return (f"accuracy_{half}" if half else "accuracy"), d | g | ACCURACY | REAL | FAKE, 0
    if have & PENALTY or {"gradient", "penalty"} <= have:
        return None if g or "pl" in have else ("penalty", d | LOSS | PENALTY | {"gradient", "grad"}, 0)
    if have & NO_ROLE:
        return None
    return role_of_loss(have, half, d, g)


def role_of_loss(
    have: frozenset[str], half: str, d: frozenset[str], g: frozenset[str]
) -> tuple[str, frozenset[str], int] | None:
    """The same of what remains: losses, scores and other terms."""
    adversarial, loss = have & ADVERSARIAL, have & LOSS
    used = d | g | LOSS | ADVERSARIAL | REAL | FAKE
    if have & RECONSTRUCTION and (not adversarial or have & FEATURES):
        return None if d else ("reconstruction", used | RECONSTRUCTION, 0)
    if have & (SCORE | PROBABILITY) and half and (not loss or "scores" in have):
        kind = "p" if have & PROBABILITY else "score"
        return f"{kind}_{half}", used | SCORE | PROBABILITY, 0
    known = used | FILLER | RECONSTRUCTION
    short = all(word in known or len(word) <= 2 for word in have)
    plain = 0 if adversarial else 1
    if d and g:
        return None
    if d and half and (loss or adversarial):
        return f"d_loss_{half}", used, plain
    if d and half and short:
        return f"d_{half}", used, 0
    if d and (loss or adversarial or short):
        return "d_loss", used, plain
    if g and have & {"total", "all", "full"}:
        return "g_total", used | {"total", "all", "full"}, 0
    if (g and (loss or adversarial or short)) or have == {"adv"}:
        return "g_loss", used, plain
    if adversarial and (loss or short) and not half:
        return "g_loss", used, plain
    if half and loss and short:
        return f"d_loss_{half}", used, 2
    return None
