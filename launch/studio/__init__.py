"""The studio: a page in the browser to play, watch and make tasks."""
