"""Tests for relations, and for the pairs that satisfy them."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.game import predicates
from adaland.envs.tasks import arrays
from adaland.envs.tasks.literals import Literal, ObjectType, Player

# A compiled program each; their many operations would be compiled one by one.
_related = jax.jit(predicates.relations)
_satisfied = jax.jit(
  lambda row, relations, types: predicates.holds(
    row, relations, types, predicates.bits(types > 0)
  )
)

_CUBE = ObjectType.from_name("black cube")
_BALL = ObjectType.from_name("yellow sphere")


def _relations(types, centres, touching=(), held=(-1,), see=()):
  nodes = len(types)

  def matrix(pairs):
    out = np.zeros([nodes, nodes], bool)
    for i, j in pairs:
      out[i, j] = True
    return out

  return _related(
    np.asarray(types, np.int32),
    np.asarray(centres, np.float32),
    matrix(touching),
    np.asarray(held, np.int32),
    matrix(see),
  )


def _holds(literal, types, relations):
  row = np.asarray(arrays.literal_row(literal))
  return bool(_satisfied(row, relations, np.asarray(types, np.int32)))


class BitsTest(absltest.TestCase):
  def test_packs_node_j_into_bit_j(self):
    mask = np.array([[1, 0, 1], [0, 0, 0]], bool)
    np.testing.assert_array_equal(predicates.bits(mask), [5, 0])

  def test_lowest_bit(self):
    words = np.array([1, 12, 1 << 25, 0], np.uint32)
    np.testing.assert_array_equal(predicates.lowest_bit(words), [0, 2, 25, 32])


class RelationsTest(parameterized.TestCase):
  def test_near_is_within_a_metre_of_centres(self):
    types = [13, _CUBE.type_id, _BALL.type_id, 0]
    far = constants.NEAR_METRES * 1.01
    relations = _relations(
      types, [[0, 0, 0], [1.0, 0, 0], [1 + far, 0, 0], [1, 0, 0]]
    )
    # The empty slot at the cube's position is not near anything.
    np.testing.assert_array_equal(relations[1], [0b0010, 0b0001, 0, 0])

  def test_a_players_centre_is_that_of_its_body(self):
    centres = predicates.node_centres(
      np.array([[1.0, 2, 3]]), np.array([[4.0, 5, 6]])
    )
    half = constants.AVATAR_HEIGHT / 2
    np.testing.assert_allclose(centres, [[1, 2, 3 + half], [4, 5, 6]])

  def test_hold_names_the_player_first(self):
    types = [13, 14, _CUBE.type_id, _BALL.type_id]
    relations = _relations(types, np.eye(4, 3) * 9, held=(1, -1))
    np.testing.assert_array_equal(relations[2], [0b1000, 0, 0, 0])
    self.assertTrue(_holds(Literal("hold", Player(1), _BALL), types, relations))
    self.assertFalse(
      _holds(Literal("hold", Player(2), _BALL), types, relations)
    )

  def test_nothing_is_related_to_itself(self):
    types = [13, _CUBE.type_id]
    relations = _relations(
      types, [[0, 0, 0], [9, 0, 0]], touching=[(1, 1)], see=[(1, 1)]
    )
    np.testing.assert_array_equal(relations, np.zeros([4, 2]))


class HoldsTest(absltest.TestCase):
  def test_some_pair_satisfies_and_negation_means_none_does(self):
    types = [13, _CUBE.type_id, _CUBE.type_id, _BALL.type_id]
    see = Literal("see", _CUBE, _BALL)
    unseen = Literal("see", _CUBE, _BALL, negated=True)
    one_sees = _relations(types, np.eye(4, 3) * 9, see=[(2, 3)])
    none_sees = _relations(types, np.eye(4, 3) * 9, see=[(3, 2)])
    self.assertTrue(_holds(see, types, one_sees))
    self.assertFalse(_holds(unseen, types, one_sees))
    self.assertFalse(_holds(see, types, none_sees))
    self.assertTrue(_holds(unseen, types, none_sees))

  def test_negated_goal_holds_of_absent_objects(self):
    types = [13, _CUBE.type_id]
    relations = _relations(types, np.eye(2, 3) * 9)
    goal = Literal("near", _CUBE, _BALL, negated=True)
    self.assertTrue(_holds(goal, types, relations))

  def test_two_of_a_type_may_be_near_each_other(self):
    types = [13, _CUBE.type_id, _CUBE.type_id]
    centres = [[9, 0, 0], [0, 0, 0], [0.5, 0, 0]]
    goal = Literal("near", _CUBE, _CUBE)
    self.assertTrue(_holds(goal, types, _relations(types, centres)))
    centres[2] = [5, 0, 0]
    self.assertFalse(_holds(goal, types, _relations(types, centres)))

  def test_empty_goal_never_holds(self):
    types = np.array([13, _CUBE.type_id], np.int32)
    relations = _relations(types, np.zeros([2, 3]))
    self.assertFalse(_satisfied(np.zeros(6, np.int32), relations, types))


if __name__ == "__main__":
  absltest.main()
