"""The commands and what they print. Each command imports what it needs inside itself."""
