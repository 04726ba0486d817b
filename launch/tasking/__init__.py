"""Subcommands of `adaland tasks` that have flags of their own."""
