"""A run's folder: its lock, metrics, progress, status and requests."""
