"""Studies that no sweep of ours made: of Optuna, and experiment folders of Ray Tune, as far as their columns allow."""
