"""Sampling of tasks, and task families.

Tasks are pure functions of an index: worlds and games are drawn at each call,
so a pool of any size has no cost. The split into a training and a held-out half
is made here.
"""
