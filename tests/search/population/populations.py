"""A population that is small enough for tests."""

PBT = {
    "sampler": {"name": "pbt", "perturbation_interval": 20, "quantile_fraction": 0.5},
    "search": {
        "lr": {"low": 1e-4, "high": 1e-2, "log": True},
        "update_ratio": {"choices": [0.5, 1, 2]},
        "betas": {"choices": [[0.5, 0.9], [0, 0.9]]},
    },
    "limits": {},
    "trials": 4,
}
