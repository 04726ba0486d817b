"""Worlds: from a task to the scene that physics builds.

Terrain and start positions are drawn from the world's seed, so that a world is
a pure function of its description.
"""
