"""Tests that damage files of every format and check how reading them fails."""
