"""The Ray cluster of a sweep: its nodes, the code that they are sent, and what is changed in Ray."""
