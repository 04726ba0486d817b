"""Agents to give away: weights, config and card in a folder."""
