"""The game engine: predicates, rules, spawning, avatar, hands and clocks.

All functions are pure functions of arrays in JAX, batch first. Both physics
back ends run the same code.
"""
