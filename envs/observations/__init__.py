"""Observations: entities in sight, pixels from rays, proprioception and time.

All are JAX functions of a batch of states, shared by both physics back ends.
Lines of sight, which `see` literals also need, are here too.
"""
