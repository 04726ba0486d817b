"""A search for held-out games among training draws.

python -m adaland.envs.sampling.leaks --draws=100000
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence

from adaland.envs.sampling import heldout, sampler
from adaland.envs.sampling.config import SamplerConfig

# Of so few small games many are drawn twice, and would be from both halves if
# nothing kept these apart. Of 20,000 draws among all games 60 repeat another.
_SMALL = SamplerConfig(
  chain_rules=(0, 1), dead_ends=(0, 0), distractors=(0, 0), max_objects=4
)


def find_leaks(draws: int, games: int = 1000) -> dict[str, float]:
  """Looks for held-out games among training draws.

  Args:
    draws: Number of games drawn from the training sampler, from index 0 on.
    games: Number of distinct held-out games to look for.

  Returns:
    The numbers of held-out games, of training draws, of distinct games among
    these, and of draws that were a held-out game, and the seconds taken.
  """
  started = time.perf_counter()
  test, train = (
    sampler.TaskSampler(dataclasses.replace(_SMALL, split=split))
    for split in ("test", "train")
  )
  held_out: set[str] = set()
  index = 0
  while len(held_out) < games:
    held_out.add(_form(test, index))
    index += 1
  drawn = [_form(train, i) for i in range(draws)]
  return {
    "heldout_games": len(held_out),
    "training_draws": draws,
    "training_games": len(set(drawn)),
    "leaks": sum(text in held_out for text in drawn),
    "seconds": round(time.perf_counter() - started, 1),
  }


def main(argv: Sequence[str] | None = None) -> int:
  """Prints the result of `find_leaks`; the exit status is 1 for a leak."""
  parser = argparse.ArgumentParser(description=main.__doc__)
  parser.add_argument("--draws", type=int, default=100_000)
  found = find_leaks(parser.parse_args(argv).draws)
  print(json.dumps(found))
  return int(found["leaks"] > 0)


def _form(tasks: sampler.TaskSampler, index: int) -> str:
  game = tasks.game(index)
  return heldout.canonical_form([game.goal] * len(game.hiding), game.rules)


if __name__ == "__main__":
  sys.exit(main())
