"""From files and named data sets to tensors."""
