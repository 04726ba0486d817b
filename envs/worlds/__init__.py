"""Worlds: terrain, placement of objects and players, the scene."""
