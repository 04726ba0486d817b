"""The split of games: a hash of the canonical form says what is held out.

The canonical form ignores the order of rules, of spawns and of symmetric
arguments, and everything but goals and rules, so a game that differs from a
held-out one only in those is held out too. The training sampler draws again
until the hash is on its side, whatever its settings, so it can't emit a
held-out game; `python -m adaland.envs.sampling.heldout` shows it by trying.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence

from adaland.envs import constants
from adaland.envs.tasks.task import Literal, Rule, Task

HELDOUT_ONE_IN = 8


def _canonical_literal(literal: Literal) -> tuple[int, ...]:
  types = [literal.a.type_id, literal.b.type_id]
  if literal.symmetric:
    types.sort()
  predicate = constants.PREDICATES.index(literal.predicate) + 1
  return int(literal.negated), predicate, *types


def canonical_form(goals: Sequence[Literal], rules: Sequence[Rule]) -> str:
  """Spells a game so that equal games have equal texts."""
  written = sorted(
    (
      _canonical_literal(rule.condition),
      sorted(spawn.type_id for spawn in rule.spawns),
    )
    for rule in rules
  )
  return repr(([_canonical_literal(goal) for goal in goals], written))


def is_heldout(goals: Sequence[Literal], rules: Sequence[Rule]) -> bool:
  """Whether a game is in the held-out part, one in HELDOUT_ONE_IN."""
  text = canonical_form(goals, rules).encode()
  digest = hashlib.blake2b(text, digest_size=8).digest()
  return int.from_bytes(digest, "big") % HELDOUT_ONE_IN == 0


def is_heldout_game(task: Task) -> bool:
  """Whether a task's game is in the held-out part."""
  return is_heldout([player.goal for player in task.players], task.rules)


def find_leaks(draws: int, games: int = 1000) -> dict[str, float]:
  """Looks for held-out games among training draws.

  Args:
    draws: Games drawn from the training sampler, indices 0 to draws - 1.
    games: Different held-out games to look for.

  Returns:
    Numbers of held-out games, of training draws, of different games among
    those, of draws that were one of the held-out games, and the seconds taken.
  """
  # The sampler is built on this module, so it can't be imported above.
  from adaland.envs.sampling import sampler

  started = time.perf_counter()
  test = sampler.TaskSampler(sampler.SamplerConfig(split="test"))
  train = sampler.TaskSampler(sampler.SamplerConfig(split="train"))

  def form(game: sampler.Game) -> str:
    return canonical_form([game.goal], game.rules)

  heldout: set[str] = set()
  index = 0
  while len(heldout) < games:
    heldout.add(form(test.game(index)))
    index += 1
  drawn = [form(train.game(i)) for i in range(draws)]
  return {
    "heldout_games": len(heldout),
    "training_draws": draws,
    "training_games": len(set(drawn)),
    "leaks": sum(text in heldout for text in drawn),
    "seconds": round(time.perf_counter() - started, 1),
  }


def main(argv: Sequence[str] | None = None) -> int:
  """Prints what `find_leaks` finds; the exit status is 1 if it finds any."""
  parser = argparse.ArgumentParser(description=main.__doc__)
  parser.add_argument("--draws", type=int, default=100_000)
  found = find_leaks(parser.parse_args(argv).draws)
  print(json.dumps(found))
  return int(found["leaks"] > 0)


if __name__ == "__main__":
  sys.exit(main())
