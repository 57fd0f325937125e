"""Checks a task before it is trained: whether its data and networks fit together."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from gansearch.gan.bounds import stay_between
from gansearch.gan.data import data_of
from gansearch.gan.loop.task import Loop
from gansearch.gan.networks import Scored, WithoutLatents, discriminator_of, generator_of
from gansearch.gan.task import Task, TaskError
from gansearch.gan.user_code import user_traceback

_SAMPLES = 4
_RESHAPES = ("View", "UnsafeView", "Reshape", "Squeeze", "Unsqueeze", "Select", "Slice", "Alias", "Clone")
"""Names of changes of shape in autograd's graph."""


def check_task(task: Task | Loop, device: str | torch.device = "cpu") -> None:
    """Passes a few samples through both networks; a loop, whose networks are its own, is not checked.

    Raises:
        TaskError: Something does not fit; the message names the shapes, or has the user's part of a traceback.
    """
    if isinstance(task, Loop):
        return
    device, name = torch.device(device), type(task).__name__
    for method in ("generator", "discriminator"):
        if isinstance(getattr(task, method), nn.Module):
            raise TaskError(f"{name}: {method} must be a method that makes a network, not a network")
    try:
        real, *y = data_of(task, device).examples(_SAMPLES)
        least = 0 if y else 1
        if not isinstance(task.latent_dim, int) or task.latent_dim < least:
            what = "above 0" if least else "from 0, which gives G conditions alone"
            raise TaskError(f"{name}: latent_dim must be a whole number {what}, not {task.latent_dim!r}")
        networks = {"generator": generator_of(task, bool(y)), "discriminator": discriminator_of(task, 1, bool(y))}
    except TaskError:
        raise
    except (Exception, SystemExit) as error:
        raise TaskError(f"{name} raised:\n{user_traceback(error)}") from error
    for method, network in networks.items():
        if not isinstance(network, nn.Module):
            raise TaskError(f"{name}: {method}() must give an nn.Module, not a {type(network).__name__}")
        if getattr(task, method)() is network:
            raise TaskError(
                f"{name}: {method}() must make a network at each call; seeds and trials would share this one"
            )
    generator, discriminator = (network.to(device) for network in networks.values())
    counts = {method: len(list(network.parameters())) for method, network in networks.items()}
    fake = _generated(generator, task.latent_dim, y, device, name)
    if fake.shape[:1] != (_SAMPLES,):
        raise TaskError(
            f"{name}: the generator gives {tuple(fake.shape)} for {_SAMPLES} latents, not {_SAMPLES} samples"
        )
    if fake.shape != real.shape:
        raise TaskError(
            f"{name}: the generator's samples have shape {_shape(fake)}, the real ones {_shape(real)}; they must agree"
            + (f": put nn.Unflatten(1, {_shape(real)}) behind its last layer" if _flat(fake, real) else "")
        )
    for kind, samples in {"real": real, "generated": fake}.items():
        scores = _scores(discriminator, samples, y, kind, name)
    for method, network in networks.items():
        if len(list(network.parameters())) != counts[method]:
            raise TaskError(
                f"{name}: the {method} makes layers at its first call, when the optimizer has its weights already; "
                "make them in __init__(), or take lazy ones such as nn.LazyLinear"
            )
    _check_trained(generator, fake, f"{name}: the generator's samples")
    _check_trained(discriminator, scores, f"{name}: the discriminator's scores")
    _check_raw(discriminator, scores, real, fake.detach(), y, name)


def _generated(generator: nn.Module, latent_dim: int, y: Sequence[Tensor], device: torch.device, name: str) -> Tensor:
    """(B, ...) samples of a generator. Raises TaskError where it takes no (B, latent_dim) numbers."""
    call = "generator(z, y)" if y and latent_dim else "generator(y)" if y else "generator(z)"
    inner = generator.network if isinstance(generator, WithoutLatents) else generator
    _check_arguments(inner, f"{name}: the generator", call)
    try:
        fake = generator(torch.randn(_SAMPLES, latent_dim, device=device), *y)
    except Exception as error:
        if wanted := _wanted_latents(generator, latent_dim, y, device):
            raise TaskError(f"{name}: the generator is given (B, {latent_dim}) numbers, but {wanted}") from None
        _check_call(error, f"{name}: the generator", call)
        raise TaskError(
            f"{name}: the generator cannot take (B, {latent_dim}) numbers, as latent_dim = {latent_dim} says"
            f"{_beside(y)}:\n{user_traceback(error)}"
        ) from error
    if not isinstance(fake, Tensor):
        raise TaskError(f"{name}: the generator gives a {type(fake).__name__}, not a tensor of samples alone")
    return fake


def _wanted_latents(generator: nn.Module, latent_dim: int, y: Sequence[Tensor], device: torch.device) -> str:
    """What a generator takes in place of (B, latent_dim) numbers, and what to do; empty where nothing is found.

    Tried are numbers as (B, n, 1, 1), as in DCGAN, and (B, n, 1), and the n of its first weight.
    """
    first = next((p for p in generator.parameters() if not is_lazy(p)), torch.empty(0))
    for count in (latent_dim, *dict.fromkeys(first.shape[:2])):
        for ones in ((), (1, 1), (1,)):
            try:
                with torch.no_grad():
                    generator(torch.randn(_SAMPLES, count, *ones, device=device), *y)
            except Exception:  # noqa: BLE001 (the user's network may raise anything)
                continue
            shape = ", ".join(map(str, ("B", count, *ones)))
            remedies = [f"set latent_dim = {count}"] if count != latent_dim else []
            remedies += [f"put nn.Unflatten(1, {(count, *ones)}) before its first layer"] if ones else []
            return f"takes ({shape}): {' and '.join(remedies)}"
    return ""


def _scores(discriminator: nn.Module, samples: Tensor, y: Sequence[Tensor], kind: str, name: str) -> Tensor:
    """D's scores of (B, ...) samples. Raises TaskError where they are not one number a sample."""
    call = "discriminator(samples, y)" if y else "discriminator(samples)"
    inner = discriminator.network if isinstance(discriminator, Scored) else discriminator
    _check_arguments(inner, f"{name}: the discriminator", call)
    try:
        scores = discriminator(samples, *y)
    except Exception as error:
        _check_call(error, f"{name}: the discriminator", call)
        first = next((tuple(p.shape) for p in discriminator.parameters() if not is_lazy(p)), None)
        raise TaskError(
            f"{name}: the discriminator cannot take {kind} samples of shape {_shape(samples)} "
            f"(its first weight has shape {first}){_beside(y)}:\n{user_traceback(error)}"
        ) from error
    if not isinstance(scores, Tensor):
        raise TaskError(
            f"{name}: the discriminator gives a {type(scores).__name__}, not scores; "
            "define score(self, outputs) that takes them out of it"
        )
    if scores.shape[:1] != (_SAMPLES,) or not _are_scores(scores):
        raise TaskError(
            f"{name}: the discriminator must give (B,) or (B, 1) scores, not {tuple(scores.shape)} for "
            f"B = {_SAMPLES}{_one_a_sample(scores)}"
        )
    return scores


def _are_scores(scores: Tensor) -> bool:
    """Whether (B, ...) outputs are one score a sample, or a map of them: one a patch, in a single channel."""
    return scores.numel() == _SAMPLES or scores.dim() == 3 or (scores.dim() > 3 and scores.shape[1] == 1)


def _one_a_sample(scores: Tensor) -> str:
    """How outputs of another shape become one score a sample."""
    if scores.shape[:1] != (_SAMPLES,):
        return "; keep one score a sample: do not mix the batch with other axes"
    inside = scores.dim() - 1
    if inside == 1:
        return "; take one of them in score(self, outputs), or end in nn.Linear(..., 1)"
    axes = tuple(range(1, inside + 1))
    return f"; average them in score(self, outputs): outputs.mean({axes}), or end in nn.Flatten() and nn.Linear(..., 1)"


def _beside(y: Sequence[Tensor]) -> str:
    """What a network is given beside its samples or latents, for a message; empty without conditions."""
    return f", beside conditions y of shape {('B', *y[0].shape[1:])} and {y[0].dtype}".replace("'", "") if y else ""


def _check_arguments(network: nn.Module, what: str, call: str) -> None:
    """Raises TaskError where a network's forward() needs more arguments than `call` gives, or takes fewer."""
    given = call.count(",") + 1
    try:
        parameters = inspect.signature(getattr(network, "_orig_mod", network).forward).parameters.values()
    except (TypeError, ValueError):
        return
    by_place = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    more = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    needed = [p.name for p in (*by_place[given:], *more) if p.default is p.empty]
    if needed:
        raise _needs_more(", ".join(needed), what, call)
    if len(by_place) < given and not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        raise TaskError(f"{what} takes no conditions, but with labels() gansearch calls {call}: take y in forward()")


def _check_call(error: Exception, what: str, call: str) -> None:
    """Raises TaskError for the error of a layer inside that needs more than one argument."""
    missing = re.search(r"missing \d+ required positional arguments?: (.*)", str(error))
    if isinstance(error, TypeError) and missing:
        raise _needs_more(missing[1].replace("'", ""), what, call) from error


def _needs_more(names: str, what: str, call: str) -> TaskError:
    remedy = "" if "," in call else ", or give each sample's condition by labels(), which is then the second argument"
    return TaskError(
        f"{what} also needs {names}, but gansearch calls {call} alone; draw {names} inside forward(){remedy}"
    )


def _check_trained(network: nn.Module, output: Tensor, what: str) -> None:
    """Raises TaskError where a network has nothing to train, or no gradient comes through its output."""
    if not any(p.requires_grad for p in network.parameters()):
        raise TaskError(
            f"{what} come from a network without weights to train: lists of layers stand in nn.ModuleList, "
            "tensors in nn.Parameter"
        )
    if not output.requires_grad:
        raise TaskError(f"{what} have no gradient; leave torch.no_grad(), .detach(), .data and numpy out of forward()")


def _check_raw(
    discriminator: nn.Module, scores: Tensor, real: Tensor, fake: Tensor, y: Sequence[Tensor], name: str
) -> None:
    """Raises TaskError where D's scores are no raw ones: behind a sigmoid, or within bounds whatever D learns."""
    last = [module for module in discriminator.modules() if not list(module.children())][-1:]
    if (last and isinstance(last[0], nn.Sigmoid)) or _ends_in_sigmoid(scores):
        raise TaskError(f"{name}: the discriminator ends in a sigmoid; give raw scores (leave the sigmoid out)")
    if bounds := stay_between(discriminator, real, fake, *y):
        likely = "a sigmoid" if bounds[0] == 0 else "a tanh"
        raise TaskError(
            f"{name}: the discriminator's scores stay between {bounds[0]} and {bounds[1]} however it is trained, as "
            f"behind {likely}; give raw scores (leave out what bounds them)"
        )


def _ends_in_sigmoid(scores: Tensor) -> bool:
    """Whether the last operation behind the scores is a sigmoid, changes of shape not counted."""
    operation = scores.grad_fn
    while operation is not None and operation.name().startswith(_RESHAPES):
        operation = operation.next_functions[0][0]
    return operation is not None and operation.name().startswith("SigmoidBackward")


def _flat(fake: Tensor, real: Tensor) -> bool:
    """Whether fakes are reals without their axes."""
    return fake.dim() == 2 and fake.shape[0] == real.shape[0] and fake.numel() == real.numel()


def _shape(samples: Tensor) -> tuple[int, ...]:
    return tuple(samples.shape[1:])
