"""Tests that damage files of every format and check the errors of reading."""
