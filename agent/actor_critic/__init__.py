"""Plain actor-critics in Muesli's training loop, as baselines for it."""
