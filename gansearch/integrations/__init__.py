"""For who keeps a Ray Tune run or an Optuna study of their own: `tune`, `tune_search` and `optuna`.

Each module needs its library alone. Optuna's sampler is `gansearch.BalanceSampler`.
"""
