"""Tests of adaland.envs.expert.exploring.guide."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import land
from adaland.envs.expert import players
from adaland.envs.expert.exploring import guide, notes
from adaland.envs.sampling import candidates
from adaland.envs.tasks.task import Task

_N = 4


def _make(family):
  """Returns a world of held-out tasks and its guide."""
  tasks = [family.held_out().task(i) for i in range(_N)]
  config = land.LandConfig(
    num_slots=family.max_objects, max_rules=family.max_rules, num_threads=1
  )
  world = land.Land(_N, config, lambda i: tasks[i], seed=0)
  world.reset()
  player = players.make("guide", _N)
  assert isinstance(player, guide.Guide)
  return world, player


class GuideTest(parameterized.TestCase):
  @parameterized.parameters(
    candidates.Traps, candidates.Find, candidates.Fetch, candidates.Chain
  )
  def test_it_needs_no_trial_to_find_out(self, family):
    world, player = _make(family(trials=(2, 2)))
    for _ in range(world.tasks[0].trials * 100):
      player.observe(world)
      rewards = world.batch_view().trial_rewards[:, :, 0].copy()
      if world.step(player.act(world)).last.all():
        break
    # A tutor finds the right one of two to four in the first trial by chance.
    self.assertGreaterEqual((rewards[:, 0] > 1).sum(), _N - 1)
    self.assertGreaterEqual((rewards[:, 1] > 1).sum(), _N - 1)

  def test_it_is_told_effects_of_what_is_near(self):
    task = Task.of(
      goal="near(player1, black sphere)",
      objects=[
        "black cube",
        "purple cube",
        {"type": "black wall", "frozen": True},
      ],
      rules=[
        # Of several products, the useful one; of equal rules, the first.
        "near(player1, purple cube) -> purple wall, yellow cube",
        "near(player1, purple cube) -> purple wall",
        "near(yellow cube, black wall) -> black sphere",
        "near(black cube, black wall) -> nothing",
        "see(yellow cube, purple cube) -> nothing",
        "not near(player1, black cube) -> yellow wall",
      ],
      hide_rules=[1, 2, 3, 4, 5, 6],
    )
    config = land.LandConfig(num_slots=6, max_rules=6, num_threads=1)
    world = land.Land(1, config, lambda i: task, seed=0)
    world.reset()
    player = guide.Guide(1)
    player.observe(world)
    known = player.known
    kinds = {
      str(x): x.type_id
      for rule in task.rules
      for x in (*rule.condition.object_types, *rule.spawns)
    }
    at = {name.replace(" ", "_"): i for name, i in kinds.items()}
    touch = {i: known.touch[0, i] for i in kinds.values()}
    self.assertEqual(touch[at["purple_cube"]], at["yellow_cube"])
    others = {touch[i] for i in touch if i != at["purple_cube"]}
    self.assertEqual(others, {notes.INERT})
    wall, pair = at["black_wall"], known.pair[0]
    for a, b in ((at["yellow_cube"], wall), (wall, at["yellow_cube"])):
      self.assertEqual(pair[a, b], at["black_sphere"])
    self.assertEqual(pair[at["black_cube"], wall], notes.VANISHES)
    told = np.argwhere(pair == notes.VANISHES)
    self.assertLen(told, 2)
    self.assertEqual(pair[at["black_cube"], at["purple_cube"]], notes.INERT)

  def test_it_takes_the_right_object_first(self):
    world, player = _make(candidates.Fetch(trials=(1, 1)))
    first = [""] * _N
    while not all(first):
      player.observe(world)
      view = world.batch_view()
      for i in np.flatnonzero(view.held[:, 0] >= 0):
        slot = view.held[i, 0]
        first[i] = first[i] or str(view.slot_types[i, slot])
      self.assertFalse(world.step(player.act(world)).last.all())
    for task, kind in zip(world.tasks, first, strict=True):
      goal = task.players[0].goal.object_types[0]
      [rule] = [rule for rule in task.rules if goal in rule.spawns]
      types = [str(each.type_id) for each in rule.condition.object_types]
      self.assertIn(kind, types)

  def test_what_it_can_not_play_is_named(self):
    task = Task.of(goal="hold(player1, black cube)", objects=["black cube"])
    config = land.LandConfig(num_slots=1, max_rules=1, num_threads=1)
    world = land.Land(1, config, lambda i: task, seed=0)
    world.reset()
    with self.assertRaisesRegex(ValueError, "the guide can't play it"):
      guide.Guide(1).observe(world)


if __name__ == "__main__":
  absltest.main()
