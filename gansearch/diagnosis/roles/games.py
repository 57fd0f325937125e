"""From columns to games: which discriminator belongs to which generator, and what each column is for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from gansearch.diagnosis.numbers.names import Meaning, words
from gansearch.diagnosis.roles.losses import same

Columns = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""By name the (N,) values and where they are printed."""
OF_D = ("d_loss", "d_loss_real", "d_loss_fake", "d_real", "d_fake")
OF_G = ("g_loss", "g_total")
CORE = frozenset((*OF_D, *OF_G))


@dataclass
class Draft:
    """A game of which it is not settled yet what each column is."""

    name: str
    roles: dict[str, str] = field(default_factory=dict)
    """By role the column."""
    terms: list[str] = field(default_factory=list)
    """Columns of G's other losses."""

    def has(self, roles: tuple[str, ...]) -> bool:
        """Whether one of some roles is there."""
        return any(role in self.roles for role in roles)


def draft_games(meanings: Mapping[str, Meaning]) -> tuple[list[Draft], list[str]]:
    """The games of columns by their meanings, and notes on what belongs to none."""
    drafts: dict[str, Draft] = {}
    runs = {one.run for one in meanings.values()}
    for name, one in sorted(meanings.items(), key=lambda item: item[1].rank):
        key = " ".join(part for part in (one.run if len(runs) > 1 else "", one.game) if part)
        draft = drafts.setdefault(key, Draft(key))
        if one.role == "reconstruction":
            draft.terms.append(name)
        elif one.role == "g_loss" and "g_loss" in draft.roles and one.rank == 1:
            draft.roles.setdefault("g_total", name)  # an adversarial one is there too
        elif one.role == "lr":
            draft.roles.setdefault("lr_d", name)
            draft.roles.setdefault("lr_g", name)
        else:
            draft.roles.setdefault(one.role, name)
    return paired(drafts)


def paired(drafts: dict[str, Draft]) -> tuple[list[Draft], list[str]]:
    """Join the drafts of one game."""
    halves_by_number(drafts)
    with_d = [key for key, one in drafts.items() if one.has(OF_D)]
    with_g = [key for key, one in drafts.items() if one.has(OF_G)]
    for key in with_g:  # G_AB's judge is D_B
        target = key[-1:]
        if len(key) == 2 and key not in with_d and target in with_d and target not in with_g:
            join(drafts, key, target)
    with_g = [key for key, one in drafts.items() if one.has(OF_G)]
    if len(with_d) == 1 and len(with_g) == 1 and with_d != with_g:
        join(drafts, with_g[0], with_d[0])
    notes: list[str] = []
    full = [key for key, one in drafts.items() if one.has(OF_D) and one.has(OF_G)]
    if not full:
        full = [key for key, one in drafts.items() if one.has((*OF_D, *OF_G))]
        total = drafts[""].roles.get("g_loss") if "" in drafts else None
        if len(full) > 1 and total and with_d and "" not in with_d:
            full.remove("")
            for key in full:
                drafts[key].roles["g_total"] = total
            notes.append(f"{total} is judged by several discriminators: it is the adversarial loss of none alone.")
    if "" in full and len(full) > 2:
        full.remove("")
        notes.append("Columns without a letter or number beside those of the games are their totals, and left out.")
    if not full and drafts:
        full = [next(iter(drafts))]
    rest = [one for key, one in drafts.items() if key not in full]
    total = next((one.roles["g_total"] for one in rest if "g_total" in one.roles), None)
    for key in full if total else ():
        drafts[key].roles.setdefault("g_total", str(total))
    for one in rest:
        lost = [name for role, name in one.roles.items() if role in CORE]
        if lost and not (set(lost) & {drafts[key].roles.get("g_total") for key in full}):
            belong = "belongs to no pair and is" if len(lost) == 1 else "belong to no pair and are"
            notes.append(f"{' and '.join(lost)} {belong} left out.")
        if one.name == "" or len(full) == 1:
            for key in full:
                share(one, drafts[key])
    if len(full) == 1:
        drafts[full[0]].name = ""
    return [drafts[key] for key in full], notes


def halves_by_number(drafts: dict[str, Draft]) -> None:
    """Where `d1`, `d2` and one `g` are printed, the first two are the halves for real and for fake samples."""
    one, two = drafts.get("1"), drafts.get("2")
    names = [one.roles.get("d_loss", ""), two.roles.get("d_loss", "")] if one and two else ["", ""]
    if [name.lower() for name in names] != ["d1", "d2"] or "g_loss" not in getattr(drafts.get(""), "roles", {}):
        return
    assert one is not None
    assert two is not None
    drafts[""].roles |= {"d_loss_real": one.roles.pop("d_loss"), "d_loss_fake": two.roles.pop("d_loss")}


def join(drafts: dict[str, Draft], key: str, into: str) -> None:
    """Move all columns of a draft into another."""
    one = drafts.pop(key)
    for role, name in one.roles.items():
        drafts[into].roles.setdefault(role, name)
    drafts[into].terms += one.terms


def share(one: Draft, into: Draft) -> None:
    """Give a game what is printed for all: learning rates, augmentation, other terms."""
    for role, name in one.roles.items():
        if role not in CORE:
            into.roles.setdefault(role, name)
    into.terms += one.terms


def finite(statistic: Callable[[np.ndarray], float], values: np.ndarray) -> float:
    """A statistic of the finite values, 0 where there are none."""
    some = values[np.isfinite(values)]
    return float(statistic(some)) if len(some) else 0.0


def settle(draft: Draft, columns: Columns) -> list[str]:
    """Decide by the values what names leave open; the notes on it."""
    notes: list[str] = []
    most = max((columns[one][1].sum() for one in (*draft.roles.values(), *draft.terms)), default=0)
    draft.terms = [term for term in draft.terms if columns[term][1].sum() >= 0.3 * most]
    settle_halves(draft, columns)
    settle_critic(draft, columns)
    settle_scores(draft, columns)
    name = draft.roles.get("g_loss")
    if name is None:
        return notes
    if words(name)[:3] == ("l", "g", "gan"):
        draft.roles["g_total"] = draft.roles.pop("g_loss")
        notes.append(f"{name} is printed times its weight, which the log does not say: it is not judged as a loss.")
    elif "g_total" not in draft.roles and draft.terms and whole(draft, columns):
        draft.roles["g_total"] = draft.roles.pop("g_loss")
        notes.append(f"{name} holds {' and '.join(draft.terms)} too: G's adversarial loss is not printed by itself.")
    return notes


def whole(draft: Draft, columns: Columns) -> bool:
    """Whether G's loss is its whole, with reconstruction terms, and not the adversarial part beside them."""
    name = draft.roles["g_loss"]
    if any(word in ("adv", "gan", "adversarial", "u") for word in words(name)):
        return False
    if any({"cycle", "cyc"} & set(words(term)) for term in draft.terms) and "loss" not in words(name):
        return False  # CycleGAN's own G_A
    loss = columns[name][0]
    score = draft.roles.get("score_fake")
    if score and finite(np.median, np.abs(loss + columns[score][0])) < 0.01:
        return False
    largest = max(finite(np.median, columns[term][0]) for term in draft.terms)
    return bool(finite(np.median, loss) >= largest)


def settle_halves(draft: Draft, columns: Columns) -> None:
    """`D_real` and `D_fake`: halves of the loss, probabilities or raw scores."""
    names = [draft.roles.pop(role, None) for role in ("d_real", "d_fake")]
    if None in names:
        return
    real, fake = (columns[str(name)][0] for name in names)
    kind = "d_loss"
    within = all(finite(np.min, one) >= 0 and finite(np.max, one) <= 1 for one in (real, fake))
    if "d_loss_real" in draft.roles:
        kind = "score"
    elif "d_loss" in draft.roles:
        loss = columns[draft.roles["d_loss"]][0]
        near = min(finite(np.median, np.abs(part - loss)) for part in (real + fake, (real + fake) / 2))
        kind = "d_loss" if near < 0.005 else "p" if within else "score"
    elif min(finite(np.min, real), finite(np.min, fake)) < 0:
        kind = "score"
    elif within and finite(np.mean, real) > 0.5 > finite(np.mean, fake) and not draft.terms:
        kind = "p"
    for half, name in zip(("real", "fake"), names, strict=True):
        draft.roles.setdefault(f"{kind}_{half}", str(name))


def settle_critic(draft: Draft, columns: Columns) -> None:
    """What is called the halves of D's loss are scores where it is their difference, as in the first WGAN's code."""
    names = [draft.roles.get(role) for role in ("d_loss", "d_loss_real", "d_loss_fake")]
    if None in names:
        return
    loss, real, fake = (columns[str(name)][0] for name in names)
    if any(same(loss, of_halves) for of_halves in (real + fake, (real + fake) / 2)):
        return
    if same(loss, real - fake) or same(loss, fake - real):
        for half in ("real", "fake"):
            draft.roles.setdefault(f"score_{half}", draft.roles.pop(f"d_loss_{half}"))


def settle_scores(draft: Draft, columns: Columns) -> None:
    """Probabilities outside [0, 1] are raw scores; `real_score` and `fake_score` inside it are probabilities."""
    pairs = (("p_real", "score_real"), ("p_fake", "score_fake"))
    held = [draft.roles[role] for role, _ in pairs if role in draft.roles]
    if held and any(finite(np.min, columns[name][0]) < 0 or finite(np.max, columns[name][0]) > 1 for name in held):
        for role, raw in pairs:
            if role in draft.roles:
                draft.roles.setdefault(raw, draft.roles.pop(role))
        draft.roles.pop("p_fake_after", None)
    names = [draft.roles.get(raw) for _, raw in pairs]
    if None in names or held:
        return
    real, fake = (columns[str(name)][0] for name in names)
    inside = all(finite(np.min, one) >= 0 and finite(np.max, one) <= 1 for one in (real, fake))
    plain = all("score" in words(str(name)) for name in names)
    if inside and plain and len(real) >= 3 and finite(np.mean, real) > finite(np.mean, fake):
        for role, raw in pairs:
            draft.roles[role] = draft.roles.pop(raw)
