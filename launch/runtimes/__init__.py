"""Runtimes: where the roles of a run are placed and how they are restarted."""
