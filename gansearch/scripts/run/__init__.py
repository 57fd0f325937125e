"""A run of a script: its process, what it prints and writes, and the verdict that this allows."""
