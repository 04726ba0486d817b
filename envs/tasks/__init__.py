"""Tasks: the dataclass, its arrays, its JSON files, probes, complexity."""
