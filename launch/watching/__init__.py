"""A show of an agent that adapts: a film of its tries, and its scores."""
