"""Numbers by record and name, and what their names are."""
