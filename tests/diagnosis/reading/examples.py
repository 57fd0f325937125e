"""Logs of made-up numbers in the formats of well-known code bases."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

RECORDS = 40
PER_EPOCH = 10


def numbers(seed: int = 0) -> dict[str, np.ndarray]:
    """Values that no rounding to four digits changes."""
    rng = np.random.default_rng(seed)
    columns = ("d", "g", "real", "fake", "dr", "df", "x", "gp", "l1", "sr", "sf")
    values = {name: np.round(rng.uniform(0.2, 0.9, RECORDS), 4) for name in columns}
    values["g"] += 1
    values["l1"] += 5
    values["sf"] -= 2
    values["critic"] = -np.round(rng.uniform(1, 3, RECORDS), 4)
    return values


@dataclass
class Printed:
    """A log and what is in it."""

    text: str
    values: dict[str, np.ndarray]
    """By role, of the first game."""
    steps: np.ndarray | None
    loss: str | None = None
    halves: str | None = None
    format: str = ""
    game: str = ""
    step_name: str = "step"
    metrics: dict[str, dict[int, float]] = field(default_factory=dict)


FORMATS: dict[str, Callable[[], Printed]] = {}
V = numbers()
I = np.arange(RECORDS)  # noqa: E741
EPOCH, BATCH = I // PER_EPOCH, I % PER_EPOCH
BATCHES = BATCH * 50
FLAT = EPOCH * 500 + BATCHES


def add(name: str, line: Callable[[int], str], roles: dict[str, str], steps: np.ndarray | None, **more: object) -> None:
    """A format by the text of its record i and the columns of its roles."""
    end = str(more.pop("end", "\n"))

    def make() -> Printed:
        text = "".join(line(i) + end for i in range(RECORDS))
        values = {role: V[column] for role, column in roles.items()}
        return Printed(text, values, steps, **more)  # type: ignore[arg-type]

    FORMATS[name] = make


def v(name: str, i: int) -> str:
    return f"{V[name][i]:.4f}"


add(
    "dcgan",
    lambda i: (
        f"[{EPOCH[i]}/4][{BATCHES[i]}/500] Loss_D: {v('d', i)} Loss_G: {v('g', i)} D(x): {v('real', i)}"
        f" D(G(z)): {v('fake', i)} / {v('x', i)}"
    ),
    {"d_loss": "d", "g_loss": "g", "p_real": "real", "p_fake": "fake", "p_fake_after": "x"},
    FLAT,
    halves="sum",
    format="printed lines of pytorch/examples dcgan",
)
add(
    "dcgan tutorial",
    lambda i: (
        f"[{EPOCH[i]}/4][{BATCHES[i]}/500]\tLoss_D: {v('d', i)}\tLoss_G: {v('g', i)}\tD(x): {v('real', i)}"
        f"\tD(G(z)): {v('fake', i)} / {v('x', i)}"
    ),
    {"d_loss": "d", "g_loss": "g", "p_real": "real", "p_fake": "fake", "p_fake_after": "x"},
    FLAT,
    halves="sum",
)
add(
    "pytorch-gan",
    lambda i: f"[Epoch {EPOCH[i]}/4] [Batch {BATCHES[i]}/500] [D loss: {V['d'][i]:f}] [G loss: {V['g'][i]:f}]",
    {"d_loss": "d", "g_loss": "g"},
    FLAT,
    halves="mean",
    format="printed lines of PyTorch-GAN",
)
add(
    "pytorch-gan pix2pix",
    lambda i: (
        f"\r[Epoch {EPOCH[i]}/4] [Batch {BATCHES[i]}/500] [D loss: {v('d', i)}] [G loss: {V['l1'][i] * 9:.4f},"
        f" pixel: {v('l1', i)}, adv: {v('g', i)}] ETA: 0:12:{i:02}.123"
    ),
    {"d_loss": "d", "g_loss": "g", "reconstruction": "l1"},
    FLAT,
    end="",
)
add(
    "keras-gan",
    lambda i: f"{i} [D loss: {V['d'][i]:f}, acc.: {100 * V['real'][i]:.2f}%] [G loss: {V['g'][i]:f}]",
    {"d_loss": "d", "g_loss": "g", "accuracy": "real"},
    I,
    loss="bce",
    halves="mean",
)


def keras_bar(i: int) -> str:
    frames = []
    for done in (1, 59, 118):
        frames.append(
            f"\r\x1b[1m{done:3}/118\x1b[0m \x1b[32m━━━━━━━━\x1b[0m\x1b[37m━━\x1b[0m \x1b[1m10s\x1b[0m 85ms/step"
            f" - d_loss: {V['d'][i] + (118 - done) / 100:.4f} - g_loss: {v('g', i)} - real_acc: {v('real', i)}"
        )
    return f"Epoch {i + 1}/40\n" + ("\b" * 40).join(frames)


add(
    "keras-io",
    keras_bar,
    {"d_loss": "d", "g_loss": "g", "accuracy_real": "real"},
    I + 1,
    step_name="epoch",
)
add(
    "cyclegan",
    lambda i: (
        ("================ Training Loss (Mon Jan  1 10:00:00 2024) ================\n" if i == 0 else "")
        + f"(epoch: {EPOCH[i] + 1}, iters: {100 * (BATCH[i] + 1)}, time: 0.120, data: 0.002) D_A: {v('d', i)}"
        f" G_A: {v('g', i)} cycle_A: {v('l1', i)} idt_A: 0.0000 D_B: {v('dr', i)} G_B: {v('df', i)} cycle_B: 1.0000"
        " idt_B: 0.0000 "
    ),
    {"d_loss": "d", "g_loss": "g", "reconstruction": "l1"},
    (EPOCH + 1) * 1100 + 100 * (BATCH + 1),
    loss="lsgan",
    halves="mean",
    game="a",
)
add(
    "pix2pix",
    lambda i: (
        f"(epoch: {EPOCH[i] + 1}, iters: {100 * (BATCH[i] + 1)}, time: 0.120, data: 0.002) G_GAN: {v('g', i)}"
        f" G_L1: {v('l1', i)} D_real: {v('dr', i)} D_fake: {v('df', i)} "
    ),
    {"d_loss_real": "dr", "d_loss_fake": "df", "g_loss": "g", "reconstruction": "l1"},
    (EPOCH + 1) * 1100 + 100 * (BATCH + 1),
    loss="bce",
    halves="sum",
)


def stats(i: int) -> str:
    columns = {
        "Loss/scores/real": "sr",
        "Loss/scores/fake": "sf",
        "Loss/signs/real": "x",
        "Loss/D/loss": "d",
        "Loss/G/loss": "g",
        "Loss/r1_penalty": "gp",
    }
    found = {name: {"num": 64, "mean": float(V[column][i]), "std": 0.9} for name, column in columns.items()}
    found["Loss/pl_penalty"] = {"num": 0, "mean": float("nan"), "std": float("nan")}
    found["Progress/kimg"] = {"num": 1, "mean": 4.0 * i, "std": 0.0}
    return json.dumps({**found, "timestamp": 1700000000.5})


add(
    "stylegan stats.jsonl",
    stats,
    {"d_loss": "d", "g_loss": "g", "score_real": "sr", "score_fake": "sf", "sign_real": "x", "penalty": "gp"},
    4.0 * I,
    loss="bce",
    halves="sum",
    step_name="kimg",
)
add(
    "biggan",
    lambda i: (
        f"{i * 20}/5005 ({i * 20 / 50.05:.2f}%) … itr: {i * 20}, G_loss : +{V['g'][i]:.3f},"
        f" D_loss_real : +{v('dr', i)}, D_loss_fake : +{v('df', i)}"
    ),
    {"d_loss_real": "dr", "d_loss_fake": "df"},
    I * 20,
    loss="hinge",
    halves="sum",
)
add(
    "mimicry",
    lambda i: (
        f"INFO: [Epoch {EPOCH[i]}/127][Global Step: {i * 50}/100000]\n| D(G(z)): {v('fake', i)}\n"
        f"| D(x): {v('real', i)}\n| errD: {v('d', i)}\n| errG: {v('g', i)}\n| lr_D: 0.0002\n| lr_G: 0.0002\n"
        "| (0.1 sec/idx)\n| Time: 0h:01m:02s"
    ),
    {"d_loss": "d", "g_loss": "g", "p_real": "real", "p_fake": "fake"},
    I * 50,
)
add(
    "studiogan",
    lambda i: (
        f"[INFO] 2024-01-02 10:00:{i:02} > Step: {i * 100} Progress: 0.3% Elapsed: 0:02:01"
        f" Gen_loss: {v('g', i)} Dis_loss: {v('d', i)} Cls_loss: N/A Topk: N/A ada_p: N/A"
    ),
    {"d_loss": "d", "g_loss": "g"},
    I * 100,
)
add(
    "lucidrains",
    lambda i: (
        f"  {i}%|▍         | {i * 50}/10000 [00:12<04:20, 36.7it/s]\rG: {v('g', i)} | D: {v('d', i)}"
        f" | GP: {v('gp', i)}" + (" | PL: 1.2 | FID: 44.1" if i % 10 == 9 else "")
    ),
    {"d_loss": "d", "g_loss": "g", "penalty": "gp"},
    I * 50,
    loss="hinge",
)
add(
    "rosinality",
    lambda i: (
        f"\rd: {v('d', i)}; g: {v('g', i)}; r1: {v('gp', i)}; path: 0.0100; mean path: 0.0400; augment: 0.1200:"
        f"   1%|  | {i * 8}/80000 [00:10<20:00,  3.0it/s]"
    ),
    {"d_loss": "d", "g_loss": "g", "penalty": "gp"},
    I * 8,
    end="",
    loss="bce",
    halves="sum",
)
add(
    "hifi-gan",
    lambda i: f"Steps : {i * 5}, Gen Loss Total : {V['l1'][i] * 5:.3f}, Mel-Spec. Error : {v('l1', i)}, s/b : 0.201",
    {"reconstruction": "l1"},
    I * 5,
)
add(
    "coqui",
    lambda i: (
        f"\x1b[1m   --> STEP: {BATCH[i]}/10 -- GLOBAL_STEP: {i * 25}\x1b[0m\n"
        f"     | > G_adv_loss: {v('g', i)} (0.30)\n     | > D_loss: {v('d', i)}  (0.41)\n"
        "     | > current_lr_0: 0.0001 \n"
    ),
    {"d_loss": "d", "g_loss": "g"},
    I * 25,
)
add(
    "taming csv",
    lambda i: (
        ("epoch,step,train/disc_loss_step,train/logits_real,train/logits_fake,train/g_loss,train/d_weight\n" * (i == 0))
        + f"{EPOCH[i]},{i * 50},{v('d', i)},{v('sr', i)},{v('sf', i)},{v('g', i)},0.8000"
    ),
    {"d_loss": "d", "g_loss": "g", "score_real": "sr", "score_fake": "sf"},
    I * 50,
)
add(
    "basicsr",
    lambda i: (
        f"2021-03-04 10:11:12,345 INFO: [train..][epoch:{EPOCH[i]:3}, iter:{12000 + 100 * i:8,},"
        f" lr:(1.000e-04,)] [eta: 1 day, 2:03:04, time (data): 0.512 (0.002)] l_g_pix: {v('l1', i)} l_g_gan: 3.0e-02"
        f" l_d_real: {v('dr', i)} out_d_real: {v('sr', i)} l_d_fake: {v('df', i)} out_d_fake: {v('sf', i)}"
    ),
    {"d_loss_real": "dr", "d_loss_fake": "df", "score_real": "sr", "score_fake": "sf", "reconstruction": "l1"},
    12000 + 100 * I,
    loss="bce",
    halves="sum",
)
add(
    "ctgan",
    lambda i: f"Epoch {i + 1}, Loss G: {V['g'][i]: .4f},Loss D: {v('critic', i)}",
    {"d_loss": "critic", "g_loss": "g"},
    I + 1,
    loss="wgan",
    step_name="epoch",
)
add(
    "ctgan tqdm",
    lambda i: f"\rGen. ({v('g', i)}) | Discrim. ({v('critic', i)}):  {i}%|██▌     | {i}/300 [00:45<00:55,  3.00it/s]",
    {"d_loss": "critic", "g_loss": "g"},
    I,
    end="",
    loss="wgan",
)
add(
    "ctgan loss_values",
    lambda i: ("Epoch,Generator Loss,Distriminator Loss\n" * (i == 0)) + f"{i},{v('g', i)},{v('critic', i)}",
    {"d_loss": "critic", "g_loss": "g"},
    I,
    loss="wgan",
    step_name="epoch",
)
add(
    "timegan",
    lambda i: (
        f"step: {i * 1000}/50000, d_loss: {v('d', i)}, g_loss_u: {v('g', i)}, g_loss_s: 0.0210,"
        " g_loss_v: 0.1100, e_loss_t0: 0.0900"
    ),
    {"d_loss": "d", "g_loss": "g"},
    I * 1000,
    loss="bce",
)
add(
    "monai",
    lambda i: (
        f"INFO:ignite.engine.engine.GanTrainer:Epoch: {EPOCH[i] + 1}/4, Iter: {BATCH[i] + 1}/10 --"
        f" g_loss: {v('g', i)} d_loss: {v('d', i)} "
    ),
    {"d_loss": "d", "g_loss": "g"},
    I + 11,
    format="printed lines of MONAI",
)
add(
    "lightning csv",
    lambda i: ("epoch,step,d_loss,g_loss\n" * (i == 0)) + f"{EPOCH[i]},{i},{v('d', i)},\n{EPOCH[i]},{i},,{v('g', i)}",
    {"d_loss": "d", "g_loss": "g"},
    I,
)
add(
    "wandb csv",
    lambda i: (
        ('"Step","run-1 - d_loss","run-1 - d_loss__MIN","run-1 - d_loss__MAX","run-1 - g_loss"\n' * (i == 0))
        + f'"{i * 10}","{v("d", i)}","{v("d", i)}","{v("d", i)}","{v("g", i)}"'
    ),
    {"d_loss": "d", "g_loss": "g"},
    I * 10,
)
add(
    "home-made",
    lambda i: f"epoch={i} lr=0.0002 D_loss={v('d', i)} G_loss={v('g', i)}",
    {"d_loss": "d", "g_loss": "g"},
    I,
    step_name="epoch",
)
add(
    "tensors",
    lambda i: (
        f"epoch {EPOCH[i]} batch {BATCH[i]}: errD=tensor({v('d', i)}, device='cuda:0', grad_fn=<AddBackward0>)"
        f" errG=tensor({v('g', i)}, grad_fn=<MeanBackward0>)"
    ),
    {"d_loss": "d", "g_loss": "g"},
    I,
)
add(
    "csv of tensors",
    lambda i: (
        ("iteration;D loss;G loss\n" * (i == 0))
        + f'{i};"tensor({v("d", i)}, grad_fn=<AddBackward0>)";tensor({v("g", i)})'
    ),
    {"d_loss": "d", "g_loss": "g"},
    I,
)
add(
    "averages",
    lambda i: f"Iter {i}: lossD {v('d', i)}(avg 0.8000) lossG {v('g', i)}(avg 1.1000)",
    {"d_loss": "d", "g_loss": "g"},
    I,
)
add(
    "mastery",
    lambda i: f">{EPOCH[i] + 1}, {BATCH[i] + 1}/10, d1={v('dr', i)}, d2={v('df', i)} g={v('g', i)}",
    {"d_loss_real": "dr", "d_loss_fake": "df", "g_loss": "g"},
    I + 11,
    halves="sum",
)
add(
    "dicts",
    lambda i: f"{{'loss_D': {v('d', i)}, 'loss_G': {v('g', i)}, 'step': {i}}}",
    {"d_loss": "d", "g_loss": "g"},
    I,
)
add(
    "yunjey",
    lambda i: (
        f"Epoch [{EPOCH[i]}/4], Step [{BATCH[i] + 1}/10], d_loss: {v('d', i)}, g_loss: {v('g', i)},"
        f" D(x): {v('real', i)}, D(G(z)): {v('fake', i)}"
    ),
    {"d_loss": "d", "g_loss": "g", "p_real": "real", "p_fake": "fake"},
    EPOCH * 10 + BATCH + 1,
)
