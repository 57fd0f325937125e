"""What a log of somebody else's run says: read without integration, judged by what follows from its numbers."""
