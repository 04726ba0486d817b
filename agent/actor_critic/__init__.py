"""Plain actor-critics, in Muesli's loop, to compare it with."""
