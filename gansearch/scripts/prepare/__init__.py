"""A run of a script made ready: its copy of the code, its values, its words and its environment."""
