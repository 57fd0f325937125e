"""For somebody's own Ray Tune run: a stopper of what is beyond hope, a callback that says the verdicts, and the search.

The trainable reports what they use: `tune.report({"fid": fid, **monitor.metrics(share=step / steps)})`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial

from gansearch.formatting import many, words
from gansearch.integrations.tune_search import BalanceSearch
from gansearch.stability.verdict import VERDICTS

__all__ = ["BalanceSearch", "StabilityCallback", "StabilityStopper"]


class StabilityStopper(Stopper):
    """Stops a trial whose result says `hopeless: 1`: `tune.RunConfig(stop=StabilityStopper())`."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Return whether a trial is to stop."""
        return bool(result.get("hopeless") == 1)

    def stop_all(self) -> bool:
        """Return whether the whole run is to stop, which it never is."""
        return False


class StabilityCallback(Callback):
    """Adds the `verdict` to each result, for loggers and for ResultGrid, and prints how each trial ended.

    `verdicts` counts those of the trials that have ended, `stopped` those that were beyond hope.
    """

    def __init__(self) -> None:
        """Count from nothing."""
        self.verdicts: Counter[str] = Counter()
        self.stopped = 0

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Name the verdict; Tune takes a result as its callbacks leave it."""
        number = result.get("verdict_number")
        if isinstance(number, int | float) and number in range(len(VERDICTS)):
            result["verdict"] = VERDICTS[int(number)]

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Print how a trial ended. One whose results have no verdict says nothing."""
        last = trial.last_result or {}
        if "verdict" not in last:
            return
        self.verdicts[last["verdict"]] += 1
        self.stopped += last.get("hopeless") == 1
        beyond = ", stopped beyond hope" if last.get("hopeless") == 1 else ""
        print(f"{trial}: {words(last['verdict'])}, stability {last.get('stability', float('nan')):.2f}{beyond}")

    def on_experiment_end(self, trials: list[Trial], **info: Any) -> None:
        """Print how many trials had which verdict."""
        if self.verdicts:
            counted = ", ".join(f"{count} {words(verdict)}" for verdict, count in self.verdicts.most_common())
            beyond = f"; {self.stopped} stopped beyond hope" if self.stopped else ""
            print(f"{many(self.verdicts.total(), 'trial')}: {counted}{beyond}")

    def get_state(self) -> dict[str, Any]:
        """Return what a run that is restored goes on counting from."""
        return {"verdicts": dict(self.verdicts), "stopped": self.stopped}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on counting."""
        self.verdicts, self.stopped = Counter(state["verdicts"]), state["stopped"]
