"""Uses of the rows in `rows_of_a_user`, in a process that adds them."""

import collections

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.game import predicates, rules
from adaland.envs.observations import observations
from adaland.envs.physics import base, cpu
from adaland.envs.sampling import choices, config, heldout
from adaland.envs.tasks import arrays, json_files, literals, symbolic
from adaland.envs.worlds import scene

_TASK = {
  "format": "adaland.task/1",
  "objects": [
    {"type": "black slab", "at": [[1, 0]]},
    {"type": "purple cube", "at": [[-1, 0]]},
  ],
  "players": [{"goal": "above(purple cube, black slab)", "at": [0, 0]}],
  "rules": ["not above(yellow slab, player1) -> black sphere"],
  "hide": {"objects": ["yellow slab"], "predicates": ["above"]},
}


class AddedRowsTest(absltest.TestCase):
  def test_tasks_with_them_are_read_and_written(self):
    task = json_files.from_json(_TASK)
    encoded = arrays.to_arrays(task)
    self.assertEqual(encoded.goal[0].tolist(), [0, 10, 2, 2, 18, 1])
    # The placeholders have the same ids as without the rows.
    self.assertEqual(encoded.seen_rules[0, 0, :6].tolist(), [1, 6, 6, 0, 5, 1])
    self.assertEqual(arrays.from_arrays(encoded), task)

  def test_types_are_in_a_row(self):
    slab = literals.ObjectType.from_name("yellow slab")
    self.assertEqual((slab.ids, slab.type_id), ((18, 3), 15))
    ramp = literals.ObjectType.from_name("black ramp")
    self.assertEqual((ramp.ids, ramp.type_id), ((19, 1), 16))
    self.assertEqual(literals.Player(1).type_id, 19)
    row = np.array([0, 10, 18, 3, constants.PLAYER_SHAPE, 2])
    self.assertEqual(arrays.literal_types(row), (15, 20))
    features = observations.type_features()
    self.assertEqual(features[15].nonzero()[0].tolist(), [4, 9])
    self.assertEqual(features[16].nonzero()[0].tolist(), [5, 7])
    self.assertEqual(features[19].nonzero()[0].tolist(), [6, 7])

  def test_a_rule_fires_where_the_relation_holds(self):
    task = json_files.from_json(_TASK)
    goal = arrays.to_arrays(task).goal[0]
    types = jnp.array([19, 13, 5])  # The player, a slab, a cube.
    for height, above in ((0.2, False), (0.45, True)):
      centres = np.array([[0, 0, 0.5], [1, 0, 0.1], [1.2, 0, height]])
      relations = predicates.relations(
        types, centres, np.zeros([3, 3], bool), np.array([-1]), np.eye(3) > 1
      )
      found, a, b = rules.match(
        jnp.pad(goal, (0, 8)), relations, types, predicates.bits(types > 0)
      )
      self.assertEqual(bool(found), above)
      if above:
        self.assertEqual((int(a), int(b)), (2, 1))

  def test_the_shape_stands_on_the_ground(self):
    start = scene.build_scene(json_files.from_json(_TASK), 3, 1)
    physics = cpu.CpuPhysics(1, 3, num_threads=1)
    physics.load(np.arange(1), [start])
    for _ in range(5):
      physics.step(
        base.AvatarControl(
          np.zeros([1, 1, 2]),
          np.zeros([1, 1]),
          np.full([1, 1], -1),
          np.zeros([1, 1, 3]),
        )
      )
    heights = physics.state().object_pos[0, :, 2]
    slots = [start.slot_types.tolist().index(kind) for kind in (13, 5)]
    np.testing.assert_allclose(heights[slots], [0.1, 0.2], atol=0.01)

  def test_samplers_draw_by_weight_and_players_know_the_means(self):
    rng = np.random.default_rng(0)
    draws = choices.Choices(config.SamplerConfig(), rng)
    names = config.SamplerConfig().goal_predicates
    drawn = collections.Counter(draws.pick_predicate(names) for _ in range(600))
    self.assertAlmostEqual(drawn["above"] / 600, 2 / 6, delta=0.06)
    goal = json_files.from_json(_TASK).players[0].goal
    self.assertEqual(symbolic.make_condition(goal).predicate, "touching")
    self.assertFalse(goal.symmetric)

  def test_games_without_them_stay_in_their_half(self):
    goal = literals.parse_literal("near(player1, black cube)")
    # As without the rows: players count as (shape 5, colour n).
    self.assertEqual(
      heldout.canonical_form([goal], []), "([(0, 2, 4, 13)], [])"
    )


if __name__ == "__main__":
  absltest.main()
