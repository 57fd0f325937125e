"""The Ray cluster: nodes, their code, and what is patched in Ray."""
