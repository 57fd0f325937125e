"""A script read: what can be searched in it, and the experiment that `gansearch init --from-script` writes."""
