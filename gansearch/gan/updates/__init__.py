"""How D and G are updated: their losses, gradients, optimizers and averages."""
