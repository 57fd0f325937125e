"""The fields of `training:`, how one GAN is trained."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from gansearch.experiment.base import Model
from gansearch.experiment.entries import Range

Decay = Annotated[float, Field(ge=0, lt=1)]
Loss = Literal["non_saturating", "minimax", "hinge", "wgan", "lsgan", "relativistic"]


SCHEDULED = ("lr", "lr_ratio", "lr_d", "lr_g", "update_ratio", "target_separability")
"""Fields that `sampler: pbt` changes while a GAN trains."""


LATER = (
    "beta2",
    "packing",
    "accumulate",
    "weight_decay",
    "clip_grad",
    "r1_every",
    "weight_clip",
    "precision",
    "compile",
    "graph",
    "channels_last",
    "augment",
    "ada_target",
    "batch_ratio",
    "top_k",
    "top_k_anneal",
    "auxiliary",
    "reconstruction",
    "reconstruction_weight",
    "d_start",
)
"""Fields that earlier versions do not know: a file in which they have their defaults does not name them."""


class Change(Model):
    """New values from an update on; fields that are left out keep theirs."""

    after: int = Field(ge=1)
    """Updates of D and G together that are done before, pretraining included."""
    lr_d: float | None = Field(None, gt=0)
    """D's learning rate."""
    lr_g: float | None = Field(None, gt=0)
    """G's learning rate."""
    update_ratio: float | None = Field(None, gt=0)
    """D updates per G update, counted from this change on."""
    target_separability: float | None = Field(None, ge=0.5, lt=1)
    """With `balance: held`."""
    r1_gamma: float | None = Field(None, ge=0)
    """γ of R1."""
    r2_gamma: float | None = Field(None, ge=0)
    """γ of R2."""
    beta2: float | None = Field(None, ge=0, lt=1)
    """Adam's second decay rate."""
    ema: float | None = Field(None, ge=0, lt=1)
    """Decay of the averaged generator."""


class Segment(NamedTuple):
    """A part of a run in which these values are constant."""

    after: int
    """Updates before this part."""
    lr_d: float
    lr_g: float
    update_ratio: float
    target_separability: float
    r1_gamma: float
    r2_gamma: float
    beta2: float
    ema: float


class Training(Model):
    """How one GAN is trained. Every field may also be searched."""

    loss: Loss = "non_saturating"
    """The adversarial loss of both networks."""
    updates: int = Field(4000, ge=1)
    """Budget: D and G updates together, pretraining included; of a script its own unit of time."""
    batch_size: int = Field(64, ge=1)
    """Samples in a batch; D sees as many real as fake ones."""
    batch_ratio: float = Field(1.0, gt=0)
    """Samples in D's batch, `batch_size`, over those in G's."""
    accumulate: int = Field(1, ge=1)
    """Batches whose mean gradient makes one update: without batch norm, one batch so many times as large, in the memory
    of one."""
    lr: float = Field(2e-4, gt=0)
    """√(lr_D · lr_G)."""
    lr_ratio: float = Field(1.0, gt=0)
    """lr_D / lr_G."""
    lr_d: float | None = Field(None, gt=0)
    """D's learning rate, together with `lr_g` in place of `lr` and `lr_ratio`."""
    lr_g: float | None = Field(None, gt=0)
    """G's learning rate."""
    pretrain_steps: int = Field(0, ge=0)
    """D updates before G's first one, on real data against the untrained generator."""
    update_ratio: float = Field(1.0, gt=0)
    """D updates per G update, any positive number."""
    balance: Literal["fixed", "held", "gap_aware"] = "fixed"
    """`held` gives each turn so that D's separability stays at `target_separability`, in place of `update_ratio`;
    `gap_aware` scales D's learning rate by the gap between its loss and an ideal D's (arXiv 2302.00089)."""
    target_separability: float = Field(0.8, ge=0.5, lt=1)
    """With `balance: held`: the area under the ROC curve of D's scores of training batches, .5 blind, 1 perfect."""
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    """The optimizer of both networks, torch's: Adam, AdamW (arXiv 1711.05101), RMSprop, or plain gradient descent."""
    betas: tuple[Decay, Decay] = (0.5, 0.999)
    """Adam's decay rates."""
    beta1: float | None = Field(None, ge=0, lt=1)
    """Adam's first decay rate, in place of the first of `betas`, so that it can be searched."""
    beta2: float | None = Field(None, ge=0, lt=1)
    """Adam's second decay rate, in place of the second of `betas`."""
    weight_decay: float | None = Field(None, ge=0)
    """The optimizer's; when not given .01 with `optimizer: adamw`, else 0. AdamW takes it off the weights themselves,
    the others add it to the gradient."""
    clip_grad: float = Field(0.0, ge=0)
    """Longest gradient of each network, in the 2-norm (arXiv 1211.5063); a longer one is shortened to it. 0 is none."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """What updates compute in where torch's autocast finds it enough: float32, bfloat16, or float16 with a scaled loss.
    Weights, losses, probes and D's updates with a penalty stay in float32."""
    compile: bool = False
    """Updates call both networks by torch.compile, but D as it is where a penalty needs second derivatives."""
    graph: bool = False
    """On a GPU, captures updates as CUDA graphs and replays them, which saves small networks the launch of each kernel;
    what cannot be captured runs as it does without."""
    channels_last: bool = False
    """Weights and pictures (B, C, H, W) with their channels last in memory, as GPUs' convolutions are fastest."""
    lr_decay: float = Field(0.0, ge=0, le=1)
    """Last share of the updates over which both learning rates fall linearly to 0."""
    r1_gamma: float = Field(0.0, ge=0)
    """γ/2 · E‖∇D(real)‖² is added to D's loss."""
    r2_gamma: float = Field(0.0, ge=0)
    """γ/2 · E‖∇D(fake)‖² is added to D's loss."""
    gp: float | None = Field(None, ge=0)
    """λ of WGAN-GP's penalty; when not given 10 with `loss: wgan` and without `weight_clip`, else 0."""
    r1_every: int = Field(1, ge=1)
    """D updates per computation of the penalties (R1, R2, WGAN-GP's), which are then so many times as strong
    (StyleGAN2, arXiv 1912.04958)."""
    weight_clip: float = Field(0.0, ge=0)
    """After each of its updates D's weights are cut off at ± this, as in the first WGAN (arXiv 1701.07875); 0 is
    none."""
    spectral_norm: bool = False
    """Divide every weight matrix of D by its largest singular value."""
    packing: int = Field(1, ge=1)
    """Samples that D judges together (PacGAN, arXiv 1712.04086), with the task `table`."""
    augment: Literal["none", "diffaugment", "ada"] = "none"
    """How D sees pictures, real and fake, in its own and G's updates: always with other colours, shifted and without a
    patch (DiffAugment, arXiv 2006.10738), or changed with a probability that follows D's overfitting (ADA, arXiv
    2006.06676)."""
    ada_target: float = Field(0.6, ge=0, lt=1)
    """With `augment: ada`: the r_t = E[sign D(real)] at which the probability stands still."""
    top_k: float = Field(1.0, gt=0, le=1)
    """Share of the fakes in a batch of G, those that D scores highest, that G learns from (arXiv 2002.06224)."""
    top_k_anneal: float = Field(0.0, ge=0, le=1)
    """First share of the updates over which the share of fakes falls from 1 to `top_k`, by the same factor at each; 0
    is `top_k` from the start."""
    auxiliary: float = Field(0.0, ge=0)
    """λ of the auxiliary classifier (AC-GAN, arXiv 1610.09585): of a D that gives (scores, logits of classes), both
    networks' losses have λ times the logits' cross-entropy added, D's of reals and of fakes. 0 is none."""
    reconstruction: Literal["none", "l1", "l2", "embedding"] = "none"
    """Added to G's loss where the task has pairs: the mean absolute or squared difference of its samples from their
    targets, or the absolute one of what the task's `embedding` makes of both (of sounds, their log-mel spectra)."""
    reconstruction_weight: float = Field(100.0, ge=0)
    """What the reconstruction is multiplied by (pix2pix's λ, arXiv 1611.07004); 0 is none."""
    d_start: int = Field(0, ge=0)
    """G updates before D's first one, on the reconstruction alone."""
    instance_noise: float = Field(0.0, ge=0)
    """Standard deviation of the noise that D's training samples get, falling linearly to 0 over the run."""
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    """One-sided: D's target for real is 1 minus this. For losses with a probability."""
    ema: float = Field(0.0, ge=0, lt=1)
    """Decay per G update of the averaged generator that gives the final samples; 0 is none."""
    sync_batch_norm: bool = False
    """Where several workers share a batch: batch norm over the whole of it, not over each worker's part."""
    simultaneous: bool = False
    """Take both gradients at the same parameters (for oracles); needs `update_ratio: 1`."""
    schedule: list[Change] = Field([])
    """What changes during the run, in order; until the first change the values are those given above."""

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, given: Any) -> Any:
        """Takes `reconstruction: {loss: l1, weight: 100}` for the two fields that a search knows."""
        section = given.get("reconstruction") if isinstance(given, dict) else None
        if not isinstance(section, dict):
            return given
        fields = {"loss": "reconstruction", "weight": "reconstruction_weight"}
        for name in section.keys() - fields.keys():
            raise ValueError(f"reconstruction has loss and weight, no {name}")
        rest = {name: value for name, value in given.items() if name != "reconstruction"}
        return {**rest, **{fields[name]: value for name, value in section.items()}}

    @field_validator("schedule")
    @classmethod
    def _rising(cls, schedule: list[Change]) -> list[Change]:
        for one, other in pairwise(change.after for change in schedule):
            if one >= other:
                raise ValueError(f"goes from after: {one} to after: {other}; each change has to come later")
        return schedule

    @property
    def names(self) -> Sequence[str]:
        """The names that a trial's parameters may have."""
        return list(Training.model_fields)

    def kinds(self, name: str, entry: Range) -> tuple[Any, ...]:
        """Returns the types that a searched field may have: (int,), (float, NoneType), ..."""
        annotation = Training.model_fields[name].annotation
        return typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)

    @property
    def rates(self) -> tuple[float, float]:
        """(lr_D, lr_G): lr·√ratio and lr/√ratio, or the pair that the file fixes."""
        if self.lr_d is not None and self.lr_g is not None:
            return self.lr_d, self.lr_g
        return self.lr * math.sqrt(self.lr_ratio), self.lr / math.sqrt(self.lr_ratio)

    @property
    def adam_betas(self) -> tuple[float, float]:
        """Adam's decay rates, with `beta1` and `beta2` in place of `betas` where they are given."""
        given = zip((self.beta1, self.beta2), self.betas, strict=True)
        beta1, beta2 = (both if own is None else own for own, both in given)
        return beta1, beta2

    @property
    def gp_lambda(self) -> float:
        """λ of the gradient penalty, with WGAN-GP's 10 where `loss: wgan` has nothing else that bounds D."""
        if self.gp is not None:
            return self.gp
        return 10.0 if self.loss == "wgan" and not self.weight_clip else 0.0

    @property
    def penalised(self) -> bool:
        """Whether some update of D has a penalty, and so second derivatives."""
        return bool(self.gp_lambda) or any(segment.r1_gamma or segment.r2_gamma for segment in self.segments)

    @property
    def reconstructs(self) -> bool:
        """Whether G's loss has a reconstruction beside what D says."""
        return self.reconstruction != "none" and self.reconstruction_weight > 0

    @property
    def start_steps(self) -> int:
        """G updates on the reconstruction alone; none without one."""
        return self.d_start if self.reconstructs else 0

    @property
    def before(self) -> int:
        """Updates before the two networks are trained against each other: `d_start` of G, then pretraining of D."""
        return self.start_steps + self.pretrain_steps

    @property
    def averages(self) -> bool:
        """Whether there is an averaged generator, in some part of a run at least."""
        return any(segment.ema for segment in self.segments)

    @property
    def decay(self) -> float:
        """The optimizer's weight decay, with torch's .01 where `optimizer: adamw` has none."""
        return self.weight_decay if self.weight_decay is not None else 0.01 if self.optimizer == "adamw" else 0.0

    @property
    def batch_size_g(self) -> int:
        """Samples in a batch of G's updates, at least one."""
        return max(1, round(self.batch_size / self.batch_ratio))

    @property
    def usual(self) -> list[str]:
        """Those of `LATER` that have their defaults."""
        return [name for name in LATER if getattr(self, name) == Training.model_fields[name].default]

    @property
    def segments(self) -> list[Segment]:
        """The parts that the schedule divides a run into, from its start on; one part without a schedule."""
        begins = (
            self.update_ratio,
            self.target_separability,
            self.r1_gamma,
            self.r2_gamma,
            self.adam_betas[1],
            self.ema,
        )
        segments = [Segment(0, *self.rates, *begins)]
        for change in self.schedule:
            segments.append(segments[-1]._replace(**change.model_dump(exclude_none=True)))
        return segments

    def used(self, name: str) -> Any:
        """Returns the value of a field that a run uses: derived defaults in place of null, and both pairs of rates."""
        lr_d, lr_g = self.rates
        return {
            "lr": self.lr if self.lr_d is None else math.sqrt(lr_d * lr_g),
            "lr_ratio": self.lr_ratio if self.lr_d is None else lr_d / lr_g,
            "lr_d": lr_d,
            "lr_g": lr_g,
            "betas": list(self.adam_betas),
            "beta1": self.adam_betas[0],
            "beta2": self.adam_betas[1],
            "gp": self.gp_lambda,
            "weight_decay": self.decay,
        }.get(name, getattr(self, name))

    def with_params(self, params: Mapping[str, Any]) -> Training:
        """Returns this training with a trial's parameters; a searched pair of rates replaces the other pair."""
        fields = self.model_dump(exclude_unset=True)
        if {"lr_d", "lr_g"} & params.keys():
            fields = {k: v for k, v in fields.items() if k not in ("lr", "lr_ratio")}
        if {"lr", "lr_ratio"} & params.keys():
            fields = {k: v for k, v in fields.items() if k not in ("lr_d", "lr_g")}
        fields |= params
        fields.pop("update_ratio" if fields.get("balance") == "held" else "target_separability", None)
        return Training(**fields)
