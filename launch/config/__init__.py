"""Configuration: the experiment's dataclasses, presets, JSON and overrides."""
