"""Adaptors of `Land` to the interfaces of dm_env and Gymnasium.

Gymnasium's ids are registered by `registration`; first-person pictures for
people are drawn by `first_person`.
"""
