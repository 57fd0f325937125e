"""The first steps of a trial, from which its time and memory are estimated."""
