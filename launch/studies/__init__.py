"""Studies: variants of an agent, trained and measured alike."""
