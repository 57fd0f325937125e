"""What columns are, by their names."""

import pytest

from gansearch.diagnosis.numbers.names import counter, meaning

SPELLINGS = {
    "d_loss": "errD D_loss Loss_D lossD dloss dis_loss discriminator_loss Distriminator_Loss loss/d critic_loss D"
    " Disc.Loss netD_loss DLoss Discrim. train/disc_loss discriminator_adv_loss Loss/D/loss",
    "g_loss": "errG G_loss Loss_G lossG gloss gen_loss generator_loss Generator_Loss loss/g G G_GAN g_adv adv"
    " G_adv_loss Gen. G/loss_fake loss_gan Loss/G/loss g_loss_u",
    "d_loss_real": "D_loss_real l_d_real loss_D_real real_loss d_real_loss D/loss_real lossDreal",
    "d_loss_fake": "D_loss_fake l_d_fake loss_D_fake fake_loss D/loss_fake",
    "d_real": "D_real discriminator_real dr",
    "g_total": "Gen_Loss_Total training/gen_loss_total g_loss_total",
    "p_real": "D(x) D_x",
    "p_fake": "D(G(z)) D(G(z))1 D_G_z1",
    "p_fake_after": "D(G(z))2 D_G_z2",
    "score_real": "Loss/scores/real train/logits_real Real_Score out_d_real D_logits_real",
    "score_real_std": "Loss/scores/real:std",
    "sign_real": "Loss/signs/real r_t",
    "accuracy": "acc. D_acc disc_accuracy",
    "accuracy_real": "real_acc acc_real",
    "accuracy_fake": "fake_acc gen_acc",
    "penalty": "GP gradient_penalty Loss/r1_penalty r1 D/loss_gp",
    "reconstruction": "G_L1 pixel cycle_A idt_B Mel-Spec. l_g_pix l_g_percep G/loss_rec g_loss_s",
    "lr_d": "lr_D D_lr learning_rate_d",
    "lr_g": "lr_G lr_generator",
    "lr": "lr current_lr",
    "augment": "augment Progress/augment aug_p ada_p",
    "metric": "FID val_kid fid50k_full IS_mean",
}
NO_ROLE = "loss time d_weight d_grad_norm train/disc_factor Loss/pl_penalty path e_loss_t0 d_loss__MIN s/b v_num G_time"
DEVIATIONS = "IS_std is50k_std inception_score_std kid:std fid/std KID.std"


@pytest.mark.parametrize("role", SPELLINGS)
def test_spellings(role):
    assert {name: getattr(meaning(name), "role", None) for name in SPELLINGS[role].split()} == dict.fromkeys(
        SPELLINGS[role].split(), role
    )


def test_what_has_no_role():
    assert {name: meaning(name) for name in NO_ROLE.split()} == dict.fromkeys(NO_ROLE.split())


def test_standard_deviations_are_no_metrics():
    assert {name: meaning(name) for name in DEVIATIONS.split()} == dict.fromkeys(DEVIATIONS.split())


def test_games_and_ranks():
    assert [meaning(name).game for name in ("D_A", "G_2_GAN", "d_loss_global", "D1_loss", "train/d_loss_step")] == [
        "a", "2", "global", "1", "",
    ]  # fmt: skip
    assert (
        meaning("g_adv_loss").rank < meaning("g_loss").rank < meaning("g_loss_epoch").rank < meaning("val/g_loss").rank
    )
    assert meaning("run-7 - d_loss").run == "run-7"


def test_counters():
    assert [counter(name) for name in ("Epoch", "ep", "training epoch")] == ["epoch"] * 3
    inner = ("iters", "itr", "Global Step", "trainer/global_step", "Progress/kimg", "batch", "Step", "record")
    assert [counter(name) for name in inner] == ["inner"] * 8
    assert [counter(name) for name in ("batch_size", "d_loss", "epoch_time", "epoch of")] == [None] * 4
