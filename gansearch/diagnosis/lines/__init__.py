"""Text as records: printed lines, tables, JSON lines, lists."""
