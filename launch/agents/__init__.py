"""Agents to share: weights, config and card in a folder."""
