"""Many trials of one experiment on a Ray cluster. Ray lives in here, and nowhere else."""

import os

# Ray reads these when it is imported or called. Tune: no output, loggers and signal handlers of its own, and
# one snapshot of its state at the start and one at the end (the Optuna study is the truth). Workers stay in
# the directory that they start in.
os.environ.update(
    RAY_AIR_NEW_OUTPUT="0",
    RAY_CHDIR_TO_TRIAL_DIR="0",
    TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1",
    TUNE_DISABLE_SIGINT_HANDLER="1",
    TUNE_GLOBAL_CHECKPOINT_S="inf",
    TUNE_PRINT_ALL_TRIAL_ERRORS="0",
)
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
