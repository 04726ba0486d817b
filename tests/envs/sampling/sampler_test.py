"""Tests of adaland.envs.sampling.sampler."""

import dataclasses
import hashlib
import json

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from adaland.envs.sampling import heldout, sampler
from adaland.envs.sampling.config import FIRST_TEST_SEED, MAX_WORLDS
from adaland.envs.tasks import json_files
from adaland.envs.worlds import generation, terrain
from adaland.envs.worlds.scene import build_scene
from tests.envs.worlds.generation_test import reachable

PAPER = sampler.SamplerConfig()
# As in small presets, which object to walk to or to lift is hidden.
NARROW = sampler.SamplerConfig(
  tiles=(5, 7),
  levels=(1, 1),
  walls=(0, 0),
  chain_rules=(1, 1),
  dead_ends=(0, 1),
  distractors=(0, 2),
  goal_predicates=("hold", "near"),
  rule_predicates=("hold", "near"),
  negation_probability=0.0,
  player_in_goal_probability=1.0,
  player_in_rule_probability=1.0,
  hide="rules",
  trials=(2, 4),
  trial_seconds=(4, 10),
  max_objects=6,
)


class TaskSamplerTest(parameterized.TestCase):
  @settings(max_examples=40, deadline=None)
  @given(
    index=st.integers(0, 10**12),
    config=st.sampled_from([PAPER, NARROW]),
    split=st.sampled_from(["train", "test"]),
  )
  def test_tasks_load_and_all_in_them_is_reachable(self, index, config, split):
    config = dataclasses.replace(config, split=split)
    task = sampler.TaskSampler(config).task(index)
    self.assertEqual(json_files.from_json(json_files.to_json(task)), task)
    scene = build_scene(task, 24)
    start, *others = [
      tuple(map(int, terrain.tile_of(scene.heights, at[:2])))
      for at in [scene.player_at[0], *scene.slot_at[: task.num_objects]]
    ]
    from_start = reachable(scene.heights, scene.ramps, start)
    for tile in others:
      self.assertIn(tile, from_start)
      self.assertIn(start, reachable(scene.heights, scene.ramps, tile))

  def test_a_pool_of_the_most_worlds_has_each_of_them(self):
    config = dataclasses.replace(NARROW, num_worlds=MAX_WORLDS, split="test")
    made = sampler.TaskSampler(config)
    worlds = {made.world(index).seed for index in range(64)}
    self.assertLen(worlds, 64)
    with self.assertRaisesRegex(ValueError, "num_worlds is .* 1 to 4194304"):
      dataclasses.replace(NARROW, num_worlds=MAX_WORLDS + 1)

  def test_ranges_are_kept_and_filled(self):
    tasks = [sampler.TaskSampler(NARROW).task(i) for i in range(300)]
    self.assertEqual({len(task.rules) for task in tasks}, {1, 2})
    self.assertEqual({task.trials for task in tasks}, {2, 3, 4})
    self.assertEqual(
      {size for task in tasks for size in task.world.tiles}, {5, 6, 7}
    )
    self.assertEqual(
      {task.players[0].goal.predicate for task in tasks}, {"hold", "near"}
    )
    for task in tasks:
      self.assertBetween(task.trial_seconds, 4, 10.1)
      self.assertLen(task.hiding[0].rules, len(task.rules))
      self.assertFalse(task.players[0].goal.negated)

  def test_is_a_pure_function_of_the_index(self):
    first = sampler.TaskSampler(PAPER)
    for index in (0, 7, 10**9):
      expected = sampler.TaskSampler(PAPER).task(index)
      self.assertEqual(first.task(index), expected)
    self.assertEqual(
      first.task(3).players, first.task(3 + first.num_tasks).players
    )

  @parameterized.parameters(
    (PAPER, "train", "7ae88f1ad62b02a7"),
    (PAPER, "test", "280749a4f66df5f9"),
    (NARROW, "train", "a9558dad30797dee"),
    (NARROW, "test", "db2704bc90a30379"),
  )
  def test_tasks_never_change(self, config, split, expected):
    # Published scores depend on exactly these tasks and start positions.
    tasks = sampler.TaskSampler(dataclasses.replace(config, split=split))
    digest = hashlib.sha256()
    for index in (*range(12), 999, 10**9):
      task = tasks.task(index)
      fields = json_files.to_json(task)
      fields["format"] = "adaland.task/1"  # The version may change.
      digest.update(json.dumps(fields, sort_keys=True).encode())
      start = build_scene(task, 24)
      for array in (start.slot_at, start.slot_yaw, start.player_at):
        micrometres = np.round(1e6 * array).astype("<i8")
        digest.update(micrometres.tobytes())
    self.assertEqual(digest.hexdigest()[:16], expected)

  def test_indices_cover_all_pairs_once(self):
    config = dataclasses.replace(NARROW, num_worlds=4, num_games=6)
    tasks = [sampler.TaskSampler(config).task(i) for i in range(24)]
    games = {
      (str(task.players), str(task.rules), task.trial_seconds) for task in tasks
    }
    pairs = {
      (task.world.seed, str(task.rules), str(task.players), task.trial_seconds)
      for task in tasks
    }
    self.assertEqual({task.world.seed for task in tasks}, {0, 1, 2, 3})
    self.assertLen(pairs, 4 * len(games))

  @parameterized.parameters(0.0, 1.0)
  def test_splits_share_neither_worlds_nor_games(self, two_players):
    for split, is_held_out in (("train", False), ("test", True)):
      config = dataclasses.replace(
        PAPER,
        split=split,
        two_player_probability=two_players,
        player_in_rule_probability=0.5,
      )
      for index in range(30):
        task = sampler.TaskSampler(config).task(index)
        self.assertEqual(heldout.is_heldout_game(task), is_held_out)
        self.assertEqual(task.world.seed >= FIRST_TEST_SEED, is_held_out)

  def test_splits_share_no_terrain_that_can_be_seen(self):
    seen = {}
    for split in ("train", "test"):
      tasks = sampler.TaskSampler(dataclasses.replace(PAPER, split=split))
      made = [generation.make_terrain(tasks.world(i)) for i in range(40)]
      self.assertFalse(any(ground.is_flat() for ground in made))
      seen[split] = {heldout.canonical_terrain(ground) for ground in made}
    self.assertFalse(seen["train"] & seen["test"])
    self.assertGreater(len(seen["test"]), 35)

  def test_streams_of_neighbours_differ(self):
    tasks = [sampler.TaskSampler(PAPER).task(i) for i in range(50)]
    self.assertGreater(len({str(task.rules) for task in tasks}), 45)
    sizes = np.array([task.world.tiles for task in tasks])
    self.assertGreater(len(np.unique(sizes, axis=0)), 20)

  def test_refuses_negative_index(self):
    with self.assertRaisesRegex(ValueError, "index is -1"):
      sampler.TaskSampler(PAPER).task(-1)

  def test_refuses_a_distribution_without_games(self):
    # Objects that appear are seen at once.
    config = dataclasses.replace(
      NARROW, chain_rules=(2, 2), rule_predicates=("see",)
    )
    with self.assertRaisesRegex(ValueError, "found no game"):
      sampler.TaskSampler(config).task(0)

  @parameterized.parameters(
    ({"split": "both"}, "split is 'both', allowed: train, test"),
    ({"tiles": (9, 8)}, "tiles is .9, 8."),
    ({"levels": (0, 1)}, "levels is .* from 1 to 4"),
    ({"hide": "all"}, "hide is 'all'"),
    ({"goal_predicates": ("on",)}, "goal_predicates is"),
    ({"negation_probability": 1.5}, "negation_probability is 1.5"),
    ({"num_worlds": 0}, "num_worlds is 0"),
    ({"tiles": (5, 6)}, "max_objects is 20, allowed: at most 12"),
  )
  def test_refuses_a_bad_config(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      dataclasses.replace(PAPER, **change)


if __name__ == "__main__":
  absltest.main()
