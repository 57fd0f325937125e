"""What a log of somebody else's run says: read with no integration, and judged by what follows from its numbers alone."""
