"""The choice of the tasks that the agent plays next."""
