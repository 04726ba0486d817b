"""Soaking: rough play in many tasks, with laws checked at every step.

`laws` has a row for each law; `adaland tasks soak` is the command, which keeps
what breaks a law as a task and a demonstration.
"""
