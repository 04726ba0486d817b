"""Checkpoints: one folder each, which is there whole or not at all."""
