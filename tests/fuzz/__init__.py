"""Damages every kind of file that is read, and watches what reading does."""
