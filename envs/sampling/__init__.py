"""Sampling of tasks: games and worlds as functions of an index.

The split into a training and a held-out half is made here.
"""
