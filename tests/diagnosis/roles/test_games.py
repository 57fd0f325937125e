"""Which columns are a game."""

import numpy as np
import pytest

from gansearch.diagnosis.numbers.names import meaning
from gansearch.diagnosis.roles.games import draft_games, settle


def games(values):
    drafts, notes = draft_games({name: meaning(name) for name in values})
    table = {name: (np.array(one, float), np.ones(len(one), bool)) for name, one in values.items()}
    for draft in drafts:
        notes += settle(draft, table)
    return {draft.name: {**draft.roles, **({"terms": draft.terms} if draft.terms else {})} for draft in drafts}, notes


def test_pairs_are_never_pooled():
    found, _ = games({"D_A": [1, 2], "G_A": [1, 2], "D_B": [1, 2], "G_B": [1, 2], "lr_D": [1, 1], "cycle_A": [9, 9]})
    assert found["a"] == {"d_loss": "D_A", "g_loss": "G_A", "lr_d": "lr_D", "terms": ["cycle_A"]}
    assert found["b"] == {"d_loss": "D_B", "g_loss": "G_B", "lr_d": "lr_D"}


def test_two_discriminators_and_one_generator():
    found, notes = games({"d_loss_local": [1, 2], "d_loss_global": [1, 2], "g_loss": [1, 2]})
    assert found["local"] == {"d_loss": "d_loss_local", "g_total": "g_loss"}
    assert "several discriminators" in notes[0]


def test_other_words_in_the_names_of_one_game_are_no_other_game():
    found, notes = games({"patch_d_loss": [1, 2], "g_loss": [1, 2]})
    assert found == {"": {"d_loss": "patch_d_loss", "g_loss": "g_loss"}}
    assert not notes


def test_columns_of_no_pair_are_named():
    _, notes = games({"D_A": [1, 2], "G_A": [1, 2], "D_B": [1, 2]})
    assert notes == ["D_B belongs to no pair and is left out."]
    _, notes = games({"D_A": [1, 2], "G_A": [1, 2], "D_B_loss_real": [1, 2], "D_B_loss_fake": [1, 2]})
    assert notes == ["D_B_loss_real and D_B_loss_fake belong to no pair and are left out."]


def test_halves_by_number():
    assert games({"d1": [1, 2], "d2": [1, 2], "g": [1, 2]})[0] == {
        "": {"g_loss": "g", "d_loss_real": "d1", "d_loss_fake": "d2"}
    }


def test_totals_are_not_adversarial():
    found, notes = games({"D loss": [1, 2], "G loss": [30, 31], "pixel": [0.3, 0.3], "adv": [0.5, 0.6]})
    assert found[""] == {"d_loss": "D loss", "g_loss": "adv", "g_total": "G loss", "terms": ["pixel"]}
    found, notes = games({"D loss": [1, 2], "G loss": [30, 31], "mel": [20, 22]})
    assert found[""] == {"d_loss": "D loss", "g_total": "G loss", "terms": ["mel"]}
    assert "not printed by itself" in notes[0]
    found, _ = games({"D loss": [1, 2], "G loss": [0.3, 0.1], "mel": [20, 22]})
    assert found[""]["g_loss"] == "G loss"


def test_what_real_and_fake_of_d_are():
    assert games({"D_real": [0.1, 0.2], "D_fake": [1.2, 1], "G_GAN": [1, 2]})[0][""]["d_loss_real"] == "D_real"
    assert games({"D_real": [-9, -8], "D_fake": [-10, -9], "l_d_real": [1, 2]})[0][""]["score_real"] == "D_real"
    assert (
        games({"D_real": [0.9, 0.8], "D_fake": [0.1, 0.2], "d_loss": [3, 1], "g": [1, 2]})[0][""]["p_real"] == "D_real"
    )


def test_probabilities_outside_their_range_are_scores():
    assert "score_real" in games({"D(x)": [3, 1], "D(G(z))": [-1, -2], "d_loss": [1, 1]})[0][""]
    scores = {"real_score": [0.9, 0.8, 0.7], "fake_score": [0.1, 0.2, 0.3], "d_loss": [1, 1, 1]}
    assert "p_real" in games(scores)[0][""]


@pytest.mark.parametrize("sign", [1, -1])
def test_halves_whose_difference_is_the_loss_of_d_are_scores(sign):
    real, fake = [-0.5, -1.2, -1.5, -1.1], [0.5, 0.7, 1.1, 0.9]
    halves = {"Loss_D_real": real, "Loss_D_fake": fake, "Loss_G": fake}
    critic = {"Loss_D": [sign * (r - f) for r, f in zip(real, fake, strict=True)], **halves}
    assert games(critic)[0][""] == {
        "d_loss": "Loss_D",
        "g_loss": "Loss_G",
        "score_real": "Loss_D_real",
        "score_fake": "Loss_D_fake",
    }
    total = {"Loss_D": [r + f for r, f in zip(real, fake, strict=True)], **halves}
    assert games(total)[0][""]["d_loss_real"] == "Loss_D_real"
