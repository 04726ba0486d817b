"""Curricula: the choice of the tasks that the agent plays next."""
