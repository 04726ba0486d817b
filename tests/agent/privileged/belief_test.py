"""Tests of adaland.agent.privileged.belief, on hand-made rules."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.privileged import belief
from adaland.envs import constants
from adaland.envs.tasks import arrays
from adaland.envs.tasks.task import Task

_SHAPES, _COLOURS = constants.SHAPE_IDS, constants.NUM_COLOURS

# Compiled whole: each of their operations would be a program of its own.
_belief_targets = jax.jit(belief.targets, static_argnums=(2, 3))


def _targets(goal, *rules):
  """Returns the names of the types that lead to the goal, and of the others."""
  task = Task.of(goal=goal, objects=["black cube"], rules=list(rules))
  rows = np.zeros((1, 6, constants.RULE_WIDTH), np.int32)
  for row, rule in zip(rows[0], task.rules, strict=False):
    row[:] = arrays.rule_row(rule)
  literal = np.array([arrays.literal_row(task.players[0].goal)], np.int32)
  [kinds] = np.asarray(_belief_targets(literal, rows, _SHAPES, _COLOURS))
  names = [f"{c} {s}" for s in constants.SHAPES for c in constants.COLOURS]
  return [
    {name for name, there in zip(names, kind, strict=True) if there}
    for kind in kinds
  ]


class TargetsTest(parameterized.TestCase):
  def test_a_shape_of_a_user_s_is_no_player(self):
    # The goal: player (5, 1) near a slab (18, 1). The rule: near a purple cube
    # (1, 2), a slab appears.
    goal = np.array([[0, 2, 5, 1, 18, 1]], np.int32)
    rule = np.array([[[0, 2, 5, 1, 1, 2, 18, 1]]], np.int32)
    found = _belief_targets(goal, rule, (1, 2, 3, 4, 18), 3)
    expected = np.zeros((1, 2, 15))
    expected[0, 0, 1] = 1
    np.testing.assert_array_equal(found, expected)

  def test_a_trap_and_its_spoiler_lead_nowhere(self):
    leads, others = _targets(
      "near(player1, black sphere)",
      "near(player1, purple cube) -> black sphere",
      "near(player1, yellow cube) -> black wall",
      "see(black wall, purple cube) -> nothing",
    )
    self.assertEqual(leads, {"purple cube"})
    self.assertEqual(others, {"yellow cube", "black wall", "purple cube"})

  def test_a_chain_leads_to_the_goal_in_any_order_of_rules(self):
    rules = [
      "near(black wall, purple wall) -> black sphere",
      "near(player1, yellow cube) -> black wall",
      "near(player1, purple pyramid) -> yellow cube",
      "hold(player1, black cube) -> yellow pyramid",
    ]
    for order in (rules, rules[::-1]):
      leads, others = _targets("hold(player1, black sphere)", *order)
      self.assertEqual(
        leads, {"black wall", "purple wall", "yellow cube", "purple pyramid"}
      )
      self.assertEqual(others, {"black cube"})

  def test_a_goal_of_two_objects_needs_both(self):
    leads, others = _targets(
      "near(black sphere, purple sphere)",
      "near(player1, black cube) -> black sphere",
      "near(player1, purple cube) -> black wall, purple sphere",
    )
    self.assertEqual(leads, {"black cube", "purple cube"})
    self.assertEmpty(others)

  def test_no_rules_no_types(self):
    self.assertEqual(_targets("near(player1, black cube)"), [set(), set()])


class OfEntitiesTest(absltest.TestCase):
  def test_an_entity_gets_the_belief_about_its_type(self):
    logits = np.log(np.array([[1.0, 3.0, 1.0, 1.0, 9.0, 1.0]], np.float32))
    kinds = np.zeros((1, 3, 3), np.float32)
    kinds[0, 0, 1] = kinds[0, 1, 2] = 1  # The third is a player.
    np.testing.assert_allclose(
      jax.jit(belief.of_entities)(logits, kinds),
      [[[0.75, 0.9], [0.5, 0.5], [0, 0]]],
      rtol=1e-6,
    )

  def test_no_gradient_flows_into_the_belief(self):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 6)).astype(np.float32)
    kinds = np.stack(2 * [np.eye(3, dtype=np.float32)])

    def total(logits, kinds):
      return belief.of_entities(logits, kinds).sum()

    gradient = jax.jit(jax.grad(total))(logits, kinds)
    np.testing.assert_array_equal(gradient, np.zeros((2, 6)))


class LossTest(absltest.TestCase):
  def test_is_the_sum_of_binary_cross_entropies(self):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 3, 8)).astype(np.float32)
    truth = rng.integers(0, 2, (2, 8)).astype(np.float32)
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    t = truth[:, None]
    slow = -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p), axis=-1)
    found = jax.jit(belief.loss)(logits, truth)
    np.testing.assert_allclose(found, slow, rtol=1e-5)


if __name__ == "__main__":
  absltest.main()
