"""The search space, the samplers, and what they are told."""
