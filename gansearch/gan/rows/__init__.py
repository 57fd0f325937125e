"""Updates of several trainings at once, of other seeds or other configurations: a row of every tensor for each."""
