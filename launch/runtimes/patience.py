"""How long a role may say nothing before it is taken for hung."""

_MAX_DOUBLINGS = 6


def seconds(hung_seconds: float, silences: int) -> float:
  """Seconds that a role may say nothing.

  Twice as long after each time that it was killed without a word since: one
  that takes longer than that to start, or that waits for a machine, would
  never get to its first word otherwise.

  Args:
    hung_seconds: As the config has it.
    silences: How often it was killed since it last said something.
  """
  return hung_seconds * 2 ** min(silences, _MAX_DOUBLINGS)
