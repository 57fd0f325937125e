import math

import optuna
import optunahub


def objective(trial: optuna.Trial) -> float:
    """A stand-in for a GAN's distance, which is small where D and G are each other's match."""
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    lr_ratio = trial.suggest_float("lr_ratio", 0.01, 100, log=True)
    update_ratio = trial.suggest_float("update_ratio", 0.2, 5, log=True)
    return abs(math.log10(lr_ratio * update_ratio)) + abs(math.log10(lr / 2e-3))


if __name__ == "__main__":
    module = optunahub.load_module("samplers/gan_balance")
    study = optuna.create_study(sampler=module.BalanceSampler(seed=0))
    study.optimize(objective, n_trials=50)
    print(study.best_trial.value, study.best_trial.params)
