"""Market data that comes from outside: importers of recordings, and their replay through a venue."""
