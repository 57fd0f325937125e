"""A trial's first steps, to foretell its time and memory."""
