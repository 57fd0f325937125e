"""What trains a trial: a process of its own, and the Ray worker beside it."""
