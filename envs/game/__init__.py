"""The game engine: predicates, rules, spawning, avatar, hand and trial clock.

Pure functions of arrays in JAX, the same for both physics back ends.
"""
