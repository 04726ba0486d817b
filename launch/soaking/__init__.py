"""Soaking: rough play of many tasks, with laws checked at every step.

`laws` has a row for each law; the command is `adaland tasks soak`, which keeps
episodes that break a law as a task and a demonstration.
"""
