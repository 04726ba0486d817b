"""Parts of `adaland watch`: a film of an agent's trials, and its scores."""
