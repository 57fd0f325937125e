"""Names and values as other programs write them, and how an experiment file has them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import yaml

_NAMES = {
    "updates": "epochs steps iterations iters niter max_steps n_steps num_steps total_steps train_steps",
    "lr": "learning_rate rate",
    "lr_d": "d_lr lrd lr_disc lr_discriminator learning_rate_d",
    "lr_g": "g_lr lrg lr_gen lr_generator learning_rate_g",
    "lr_ratio": "ttur",
    "update_ratio": "n_critic ncritic d_steps disc_iters n_dis",
    "batch_size": "batch bs",
    "top_k": "topk",
    "batch_ratio": "batch_size_ratio",
    "gp": "lambda_gp gp_weight gradient_penalty",
    "r1_gamma": "r1 reg_param",
    "r1_every": "d_reg_every d_reg_interval lazy_r1 lazy_regularization",
    "clip_grad": "clip_grad_norm grad_clip gradient_clip_val gradient_clipping max_grad_norm max_norm",
    "weight_clip": "clip_value clip_weights weight_clipping",
    "accumulate": "accumulate_grad_batches gradient_accumulation gradient_accumulation_steps grad_accum",
    "auxiliary": "ac_weight acgan aux aux_weight class_weight classifier lambda_cls",
    "augment": "aug augmentation diffaug diff_augment",
    "ada_target": "target_rt aug_target",
    "precision": "amp autocast dtype mixed_precision",
    "compile": "torch_compile",
    "graph": "cuda_graph cuda_graphs cudagraph cudagraphs graphs",
    "beta1": "b1 beta_1 momentum",
    "beta2": "b2 beta_2",
    "reconstruction": "recon recon_loss reconstruction_loss pixel_loss l1_loss",
    "reconstruction_weight": "lambda_l1 l1_weight lambda_mel lambda_pixel lambda_recon recon_weight lambda_rec",
    "d_start": "disc_start discriminator_start discriminator_start_steps discriminator_train_start_steps",
    "ema": "ema_decay ema_beta",
    "trials": "n_trials num_trials num_samples max_trials runs n_iter count",
    "replicas": "seeds n_seeds num_seeds repeats repetitions",
    "objective": "metric mode",
    "search": "space search_space param_space parameters hyperparameters hyperparams",
    "task_options": "options data dataset data_path path",
    "hours": "timeout time_limit max_hours time_budget",
    "concurrent": "max_concurrent max_concurrent_trials n_jobs",
    "gpus": "device gpu num_gpus",
    "cpus": "cpu num_cpus threads",
}
"""Fields, each with names that it has elsewhere."""
_HERE = {other: name for name, others in _NAMES.items() for other in others.split()}

_VALUES = {
    "non_saturating": "bce ns nonsaturating vanilla gan dcgan standard",
    "wgan": "wgan_gp wgangp wasserstein",
    "lsgan": "ls mse least_squares",
    "relativistic": "ragan rsgan rpgan",
    "l1": "mae l1_loss",
    "l2": "l2_loss",
    "embedding": "mel mel_l1 perceptual lpips vgg",
    "bf16": "bfloat16 bf16_mixed",
    "fp16": "float16 half fp16_mixed 16_mixed",
    "fp32": "float32 full 32_true",
    "tpe": "bayes bayesian optuna hyperopt",
    "true": "asha hyperband median",
}
"""Values of fields, each with names that it has elsewhere."""
_VALUES_HERE = {other: value for value, others in _VALUES.items() for other in others.split()}

_RANGE = {
    "low": "min minimum lower lower_bound lo from start",
    "high": "max maximum upper upper_bound hi to end stop",
    "choices": "values options choice categories categorical grid grid_search any_of one_of",
    "step": "q quantization",
    "prior": "default init initial guess",
    "log": "distribution type scale sampling",
}
"""Fields of a range and of choices, each with names that it has elsewhere."""
_RANGE_HERE = {other: name for name, others in _RANGE.items() for other in (name, *others.split())}

_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"


def suggest(name: str, allowed: Iterable[str]) -> str:
    """Returns '; did you mean "x"?' where an allowed name is close to `name`, else an empty string."""
    by_key = {_key(one): one for one in allowed}
    near = difflib.get_close_matches(_key(name), list(by_key), n=1)
    return f'; did you mean "{by_key[near[0]]}"?' if near else ""


def field_called(name: str) -> str:
    """Returns the field that elsewhere has this name: lr_d for d_lr or D-LR; a name that no field has stays."""
    return _HERE.get(_key(name), _key(name))


def unknown_field(name: str, allowed: Sequence[str], sections: Mapping[str, Iterable[str]]) -> str:
    """Returns a hint on a name that is not `allowed`; `sections` are the fields by the path of their section."""
    here = field_called(name)
    if here in allowed:
        return f'; did you mean "{here}"?'
    if near := suggest(name, allowed):
        return near
    path = next((f"{path}.{here}".lstrip(".") for path, fields in sections.items() if here in fields), "")
    return f'; did you mean "{path}"?' if path else f"; allowed: {', '.join(allowed)}"


def unknown_value(value: Any, allowed: Sequence[str]) -> str:
    """Returns a hint on a value that is not one of those `allowed`."""
    here = _VALUES_HERE.get(_key(str(value)))
    return f'; did you mean "{here}"?' if here in allowed else suggest(str(value), allowed)


def number_hint(text: str) -> str:
    """Returns '; write 0.1' where a text is a number in other writing, such as 0,1 or 50% or 2**6, else ''."""
    plain = re.sub("[−–—]", "-", text.strip())
    grouped = re.fullmatch(r"[-+]?[0-9]{1,3}([,.' \u00a0\u202f][0-9]{3})+", plain)
    if grouped:
        return f"; write {re.sub('[^-+0-9]', '', plain)}, without separators"
    plain = re.sub(r"(?<=[0-9]),(?=[0-9])", ".", plain)
    if power := re.fullmatch(r"([0-9]+)(?:\*\*|\^)(-?[0-9]{1,3})", plain):
        with suppress(ArithmeticError):  # 0**-1 and 10**999 are no numbers
            return f"; write {float(power[1]) ** int(power[2]):.12g}"
    found = re.fullmatch(rf"({_NUMBER})\s*([%kKM]?)", plain)
    if not found or (plain == text.strip() and not found[2]):
        return ""
    factor = {"": 1.0, "%": 0.01, "k": 1e3, "K": 1e3, "M": 1e6}[found[2]]
    return f"; write {float(found[1]) * factor:.12g}"


def list_hint(values: Sequence[Any]) -> str:
    """Returns what a list of values may be meant for where one is searched."""
    texts = f"one of several values is {_flow({'choices': list(values)})}"
    if len(values) == 2 and all(is_number(value) for value in values) and values[0] < values[1]:
        return f"a range is {_flow({'low': values[0], 'high': values[1]})}, {texts}"
    return texts


def text_hint(text: str) -> str:
    """Returns '; a range is ...' where a text holds two numbers, such as uniform(0, 1), else ''."""
    numbers = [float(n) for n in re.findall(rf"(?<![\w.]){_NUMBER}", text)]
    if len(numbers) != 2 or not numbers[0] < numbers[1]:
        return ""
    return f"; a range is {_flow({'low': numbers[0], 'high': numbers[1], **({'log': True} if 'log' in text else {})})}"


def entry_hint(entry: Mapping[str, Any]) -> str:
    """Returns how an entry of `search:` is written that has other programs' words, else ''."""
    written: dict[str, Any] = {}
    for word, value in entry.items():
        key = _key(str(word))
        if key in ("uniform", "loguniform", "quniform", "qloguniform", "randint", "lograndint", "int", "float"):
            if not isinstance(value, list | tuple) or len(value) < 2:
                return ""
            written |= {"low": value[0], "high": value[1], **({"log": True} if "log" in key else {})}
        elif key == "value":
            return f"{word}: unknown here; write the value alone, {_flow(value)}"
        elif (name := _RANGE_HERE.get(key)) is None:
            return ""
        elif name != "log" or isinstance(value, bool):
            written[name] = value
        elif "log" in str(value):
            written["log"] = True
    others = ", ".join(str(word) for word in entry if word not in _RANGE)
    if not others or not ("choices" in written or {"low", "high"} <= written.keys()):
        return ""
    return f"{others}: unknown here; write {_flow(written)}"


def _flow(value: Any) -> str:
    """A value as it is written in one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def is_number(value: Any) -> bool:
    """Returns whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _key(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def texts(data: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields the texts in plain data, keys included, each with its dotted path."""
    if isinstance(data, dict):
        for key, value in data.items():
            where = f"{path}.{key}".lstrip(".")
            yield from texts(key, where)
            yield from texts(value, where)
    elif isinstance(data, list | tuple):
        for place, value in enumerate(data):
            yield from texts(value, f"{path}[{place}]")
    elif isinstance(data, str):
        yield path, data
