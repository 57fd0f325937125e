"""What to change for each finding, in the terms of the log."""

from __future__ import annotations

from gansearch.diagnosis.rules.finding import Finding
from gansearch.diagnosis.training_log import Game

ADVICE = {
    "diverged": "Go back to a checkpoint before that; lower both learning rates{rates}, or add R1 or spectral norm.",
    "frozen": (
        "Nothing will change from here: go back to a checkpoint before that. Use the loss on logits "
        "(BCEWithLogitsLoss, from_logits=True), whose gradient does not vanish, and lower {lr_d}."
    ),
    "discriminator_saturated": (
        "Lower {lr_d} or give G more updates for each of D's; or add R1, instance noise or one-sided label smoothing."
    ),
    "generator_dominates": (
        "Raise {lr_d}, lower {lr_g}, or give D more updates for each of G's. Check that G's optimizer holds G's "
        "parameters alone, and that D's gradients are zeroed before its step."
    ),
    "oscillating": "Lower both learning rates{rates}, or add R1 or an average of G's weights.",
    "not_training": "Check {lr_d} and {lr_g}, what each optimizer holds, and that nothing is detached or frozen.",
    "not_started": "Check from which step on the adversarial loss counts (disc_start, its weight), and train past it.",
    "idle": "Raise the weight of the adversarial loss, or weaken D: lower {lr_d}, add R1 or noise to its input.",
    "runaway": "Raise the weight of the gradient penalty or lower {lr_d}; weight clipping holds a critic only roughly.",
    "contradiction": "Print D's two halves and G's adversarial loss without weights, or name the columns by --columns.",
    "memorising": "Add or raise augmentation of what D sees (DiffAugment, ADA), get more data, or make D smaller.",
    "metric_broken": "Check the metric: the number of samples, their range and their type, before looking at it again.",
    "trend": "",
}
"""By kind; names in braces are the log's own for them where it has any."""


def advice(finding: Finding, game: Game | None) -> str:
    """The setting to change for a finding; empty for a note about a trend."""
    columns = dict(game.columns) if game else {}
    if columns.get("lr_d") == columns.get("lr_g"):  # one rate, which says not whose is to change
        columns = {role: name for role, name in columns.items() if role not in ("lr_d", "lr_g")}
    names = {f"lr_{side}": columns.get(f"lr_{side}", f"{side.upper()}'s learning rate") for side in ("d", "g")}
    both = f" ({columns['lr_d']}, {columns['lr_g']})" if {"lr_d", "lr_g"} <= columns.keys() else ""
    return ADVICE[finding.kind].format(**names, rates=both) if finding.is_verdict else ""
