"""Checkpoints: one folder each, written atomically."""
