"""What `gansearch train` does with one configuration."""
