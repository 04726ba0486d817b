"""Observations: entities in sight, pixels from rays, goals and rules."""
