"""Soaking: rough play in many tasks, with laws checked at every step."""
