"""Subcommands of `adaland tasks` with their own flags."""
