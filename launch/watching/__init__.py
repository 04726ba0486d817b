"""A show of an agent that adapts: a film of its trials, and its scores."""
