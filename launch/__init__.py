"""Configurations, presets and the commands."""
