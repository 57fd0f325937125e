"""A chosen configuration as text: an experiment that `gansearch train` runs, the same as JSON, or Python."""

from __future__ import annotations

import json
import math
from typing import Any

from gansearch.experiment import Experiment, LoopTraining, Trackers, Training, as_searched, load_yaml
from gansearch.study.analysis.choose import Choice
from gansearch.study.analysis.neighbourhood import WIDTH

FORMATS = ("yaml", "json", "python")
_MENTIONED = (
    "r1_gamma",
    "r2_gamma",
    "gp_lambda",
    "spectral_norm",
    "instance_noise",
    "label_smoothing",
    "ema",
    "lr_decay",
)
"""What a loop of one's own has to add by itself where it is not 0."""


_FIXED = (
    "import torch",
    "update_ratio = {update_ratio}  # D updates per G update",
    "",
    """
    def step(optimizer, loss):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    for _ in range(pretrain_steps):
        step(optimizer_d, d_loss)
    d = g = 0
    while pretrain_steps + d + g < updates:
        if d < update_ratio * (g + 1):
            step(optimizer_d, d_loss)
            d += 1
        else:
            step(optimizer_g, g_loss)
            g += 1
""",
)
_FIXED_SCHEDULE = (
    "import torch",
    """update_ratio = {update_ratio}  # D updates per G update
# (after so many updates, lr_d, lr_g, update_ratio) from then on
schedule = [
{changes}]""",
    "",
    """
    def step(optimizer, loss):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    changes, ratio = list(schedule), update_ratio
    d = g = 0  # since pretraining or the last change of the ratio
    for done in range(updates):
        if changes and changes[0][0] == done:
            before = ratio
            _, optimizer_d.param_groups[0]["lr"], optimizer_g.param_groups[0]["lr"], ratio = changes.pop(0)
            if ratio != before:
                d = g = 0
        if done < pretrain_steps:
            step(optimizer_d, d_loss)
        elif d < ratio * (g + 1):
            step(optimizer_d, d_loss)
            d += 1
        else:
            step(optimizer_g, g_loss)
            g += 1
""",
)
_HELD = (
    "import torch\n\nimport gansearch",
    "target_separability = {target_separability}  # of D's scores; it decides whose turn is next",
    """;
    d_loss() also D's scores of its real and of its fake samples""",
    """    controller = gansearch.BalanceController(target_separability)

    def step(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for done in range(updates):
        if done < pretrain_steps or controller.discriminators_turn():
            loss, real_scores, fake_scores = d_loss()
            step(optimizer_d, loss)
            controller.update(real_scores, fake_scores)
        else:
            step(optimizer_g, g_loss())
""",
)
_HELD_SCHEDULE = (
    _HELD[0],
    """target_separability = {target_separability}  # of D's scores; it decides whose turn is next
# (after so many updates, lr_d, lr_g, target_separability) from then on
schedule = [
{changes}]""",
    _HELD[2],
    _HELD[3].replace(
        """    for done in range(updates):
""",
        """    changes = list(schedule)
    for done in range(updates):
        if changes and changes[0][0] == done:
            groups = optimizer_d.param_groups[0], optimizer_g.param_groups[0]
            _, groups[0]["lr"], groups[1]["lr"], controller.target = changes.pop(0)
""",
    ),
)
"""Of the code for a loop of one's own, by balance: its imports, its number, what else it asks for, and its turns."""


def export_text(choice: Choice, experiment: Experiment, format: str = "yaml") -> str:
    """The text of an export in one of FORMATS."""
    return {"yaml": to_yaml, "json": to_json, "python": to_python}[format](choice, experiment)


def to_yaml(choice: Choice, experiment: Experiment) -> str:
    """An experiment file with `lr_d`, `lr_g`, `pretrain_steps`, `update_ratio` … in plain numbers."""
    return exported(choice, experiment).to_yaml(_comment(choice, experiment))


def to_json(choice: Choice, experiment: Experiment) -> str:
    """The data of `to_yaml` as JSON, which is YAML too: `gansearch train` runs it as well."""
    return json.dumps(load_yaml(to_yaml(choice, experiment)), indent=2, allow_nan=False) + "\n"


def to_python(choice: Choice, experiment: Experiment) -> str:
    """Plain torch code with the choice's numbers, for a training loop of one's own."""
    training = training_of(choice, experiment)
    comment = "".join(f"# {line}\n" for line in _comment(choice, experiment).splitlines())
    if isinstance(training, LoopTraining):
        own = "".join(f"    {name!r}: {value!r},\n" for name, value in training.params.items())
        return f"{comment}\nparams = {{\n{own}}}\nupdates = {training.updates}\n"
    lr_d, lr_g = training.rates
    made = f"torch.optim.{'Adam' if training.optimizer == 'adam' else 'SGD'}"
    betas = f", betas={training.adam_betas}" if training.optimizer == "adam" else ""
    names = [*_MENTIONED, "balance"] if training.balance == "gap_aware" else _MENTIONED
    extras = "".join(
        f"# {name} = {getattr(training, name)}: {_meaning(name)}\n" for name in names if getattr(training, name)
    )
    extras = f"\n# The losses that were searched with also have:\n{extras}" if extras else ""
    imports, number, also, turns = _HELD if training.balance == "held" else _FIXED
    changes = ""
    if training.schedule:
        imports, number, also, turns = _HELD_SCHEDULE if training.balance == "held" else _FIXED_SCHEDULE
        place = "target_separability" if training.balance == "held" else "update_ratio"
        lines = [(s.after, s.lr_d, s.lr_g, getattr(s, place)) for s in training.segments[1:]]
        changes = "".join(f"    {line},\n" for line in lines)
    return f'''{comment}
{imports}

lr_d, lr_g = {lr_d}, {lr_g}
pretrain_steps = {training.pretrain_steps}  # D updates before G's first one
{number.format(**training.model_dump(), changes=changes)}
updates = {training.updates}  # of D and G together
batch_size = {training.batch_size}
loss = "{training.loss}"
{extras}

def train(generator, discriminator, d_loss, g_loss):
    """Trains the two networks; d_loss() and g_loss() each draw a batch and return a loss to minimise{also}."""
    optimizer_d = {made}(discriminator.parameters(), lr=lr_d{betas})
    optimizer_g = {made}(generator.parameters(), lr=lr_g{betas})
{turns}'''


def exported(choice: Choice, experiment: Experiment) -> Experiment:
    """The experiment that trains the choice: nothing searched, and what was measured of it as evidence."""
    training = training_of(choice, experiment)
    return experiment.model_copy(
        update={
            "training": training,
            "params": training.params if isinstance(training, LoopTraining) else {},
            "search": {},
            "sampler": "tpe" if experiment.is_population else experiment.sampler,
            "trackers": Trackers(),
            "evidence": evidence(choice, experiment),
        }
    )


def training_of(choice: Choice, experiment: Experiment) -> Training:
    """The training section with the choice's numbers; of a loop of the user's own its parameters."""
    longer = {"updates": experiment.confirm.updates} if choice.confirmed and experiment.confirm else {}
    longer = {name: budget for name, budget in longer.items() if budget}
    if experiment.is_loop:
        own = {name: as_searched(experiment.search.get(name), value) for name, value in choice.params.items()}
        return experiment.training.with_params({**own, **longer})
    # Of the two pairs of rates the plain one: lr and lr_ratio would give it back with a rounding error.
    params = {k: v for k, v in choice.params.items() if k not in ("lr", "lr_ratio")}
    return experiment.training.with_params({**params, **longer})


def evidence(choice: Choice, experiment: Experiment) -> dict[str, Any]:
    """What the sweep measured of the choice, in plain numbers."""
    found: dict[str, Any] = {"study": experiment.name, "trial": choice.number}
    found |= {name: getattr(choice, name) for name in ("stability", "distance") if math.isfinite(getattr(choice, name))}
    if choice.confirmed:
        if choice.interval:
            found["distance_interval"] = list(choice.interval)
        found |= {"seeds": list(choice.seeds), "healthy": choice.healthy, "verdicts": choice.verdicts}
    if choice.neighbourhood:
        found["neighbourhood"] = choice.neighbourhood._asdict()
    return found


def _comment(choice: Choice, experiment: Experiment) -> str:
    """Lines on where the choice comes from; the name is quoted because it may hold anything."""
    lines = [f"Trial {choice.number} of {json.dumps(experiment.name)}, chosen by gansearch."]
    if choice.confirmed:
        interval = " (95% of new medians: {:.4g} to {:.4g})".format(*choice.interval) if choice.interval else ""
        lines += [
            f"On {len(choice.seeds)} fresh seeds: {choice.healthy} balanced,",
            f"median stability {choice.stability:.3g}, median distance {choice.distance:.4g}{interval}.",
        ]
    else:
        lines.append(f"Not confirmed on fresh seeds: stability {choice.stability:.3g}, distance {choice.distance:.4g}.")
    if choice.neighbourhood:
        stability, distance = choice.neighbourhood
        lines += [
            f"Nine in ten settings within {WIDTH:.0%} of every searched range are expected to reach a stability of",
            f"{stability:.3g} and a distance of {distance:.4g}.",
        ]
    return "\n".join(lines)


def _meaning(name: str) -> str:
    """A field's description in one line."""
    text = Training.model_fields["gp" if name == "gp_lambda" else name].description or ""
    return " ".join(text.split())
