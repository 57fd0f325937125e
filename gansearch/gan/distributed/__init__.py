"""One GAN trained by several processes."""
