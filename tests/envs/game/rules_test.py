"""Tests of production rules, against a slow reference in plain Python."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaland.envs import constants
from adaland.envs.game import predicates, rules
from adaland.envs.tasks import arrays
from adaland.envs.tasks.literals import Literal, ObjectType, Player, Rule

_PLAYERS = 1
_SLOTS = 5
_NUM_RULES = 4
_BLACK_CUBE = ObjectType.from_name("black cube")
_BLACK_SPHERE = ObjectType.from_name("black sphere")
_YELLOW_CUBE = ObjectType.from_name("yellow cube")
_TYPES = (_BLACK_CUBE, _BLACK_SPHERE, _YELLOW_CUBE)


@functools.partial(jax.jit, static_argnums=3)
def _fire(rows, related, inputs, num_players):
  slot_types, centres = inputs
  proper = predicates.node_types(slot_types, num_players) > 0
  live = proper[:, None] & proper[None] & ~jnp.eye(len(proper), dtype=bool)
  packed = predicates.bits(related & live[None])
  return rules.fire(rows, packed, slot_types, centres, num_players)


def _rows(*game: Rule) -> np.ndarray:
  rows = np.zeros([_NUM_RULES, constants.RULE_WIDTH], np.int32)
  for i, rule in enumerate(game):
    rows[i] = arrays.rule_row(rule)
  return rows


def _run(game, types, related, centres=None, num_players=_PLAYERS):
  if centres is None:
    centres = np.zeros([num_players + len(types), 3], np.float32)
  types = np.asarray(types, np.int32)
  return _fire(_rows(*game), related, (types, centres), num_players)


def _nothing(num_nodes=_PLAYERS + _SLOTS):
  return np.zeros([len(constants.PREDICATES), num_nodes, num_nodes], bool)


def _near(*pairs):
  related = _nothing()
  for i, j in pairs:
    related[1, i, j] = related[1, j, i] = True
  return related


def _reference(game, types, related, num_players=_PLAYERS):
  """Applies the rules one pair at a time."""
  slots = list(types)
  present = {num_players + s for s, t in enumerate(types) if t}
  present |= set(range(num_players))
  kind = dict(enumerate([*constants.PLAYER_TYPE_IDS[:num_players], *types]))
  fired, dropped = [], 0
  for rule in game:
    literal = rule.condition
    predicate = constants.PREDICATES.index(literal.predicate)
    candidates = [
      (i, j)
      for i in sorted(present)
      for j in sorted(present)
      if i != j
      and kind[i] == literal.a.type_id
      and kind[j] == literal.b.type_id
    ]
    pairs = [(i, j) for i, j in candidates if related[predicate, i, j]]
    if literal.negated:
      pairs = [] if pairs else candidates
    fired.append(bool(pairs))
    if not pairs:
      continue
    for node in pairs[0]:
      if node >= num_players:
        present.discard(node)
        slots[node - num_players] = 0
    for spawn in rule.spawns:
      if 0 in slots:
        slots[slots.index(0)] = spawn.type_id
      else:
        dropped += 1
  return slots, fired, dropped


_arguments = st.sampled_from((*_TYPES, Player(1)))
_literals = st.builds(
  Literal,
  predicate=st.sampled_from(["touching", "near", "see"]),
  a=st.sampled_from(_TYPES),
  b=_arguments,
  negated=st.booleans(),
)
_rules = st.builds(
  Rule,
  condition=_literals,
  spawns=st.lists(st.sampled_from(_TYPES), max_size=constants.MAX_SPAWNS).map(
    tuple
  ),
)
_slot_types = st.lists(
  st.sampled_from([0, *(t.type_id for t in _TYPES)]),
  min_size=_SLOTS,
  max_size=_SLOTS,
)


class FireTest(absltest.TestCase):
  @settings(max_examples=150, deadline=None)
  @given(
    game=st.lists(_rules, max_size=_NUM_RULES),
    types=_slot_types,
    seed=st.integers(0, 2**32 - 1),
  )
  def test_equals_reference(self, game, types, seed):
    rng = np.random.default_rng(seed)
    related = rng.random(_nothing().shape) < rng.choice([0.1, 0.5])
    got = _run(game, types, related)
    slots, fired, dropped = _reference(game, types, related)
    self.assertEqual(list(np.asarray(got.slot_types)), slots)
    self.assertEqual(list(np.asarray(got.fired)[: len(game)]), fired)
    self.assertEqual(int(got.dropped), dropped)

  def test_consumes_the_lowest_pair_and_spawns_between(self):
    cube, sphere = _BLACK_CUBE.type_id, _BLACK_SPHERE.type_id
    rule = Rule(Literal("near", _BLACK_CUBE, _BLACK_SPHERE), (_YELLOW_CUBE,))
    centres = np.zeros([6, 3], np.float32)
    centres[2] = [1, 2, 3]  # Slot 1.
    centres[4] = [3, 0, 1]  # Slot 3.
    got = _run(
      [rule],
      [cube, cube, sphere, sphere, 0],
      _near((2, 4), (2, 5)),
      centres,
    )
    np.testing.assert_array_equal(
      got.slot_types, [cube, _YELLOW_CUBE.type_id, sphere, 0, 0]
    )
    np.testing.assert_array_equal(got.spawned, [0, 1, 0, 0, 0])
    np.testing.assert_array_equal(got.origin[1], [2, 1, 2])
    self.assertEqual(int(got.alive), 0b001011)

  def test_players_are_not_consumed_and_do_not_shift_the_spawn(self):
    rule = Rule(Literal("near", Player(1), _BLACK_CUBE), (_YELLOW_CUBE,))
    centres = np.zeros([6, 3], np.float32)
    centres[1] = [4, 0, 0.2]
    got = _run(
      [rule], [_BLACK_CUBE.type_id, 0, 0, 0, 0], _near((0, 1)), centres
    )
    self.assertEqual(int(got.slot_types[0]), _YELLOW_CUBE.type_id)
    np.testing.assert_allclose(got.origin[0], centres[1])
    self.assertEqual(int(got.alive) & 1, 1)

  def test_two_players_spawn_an_object_between_them(self):
    rule = Rule(Literal("near", Player(1), Player(2)), (_YELLOW_CUBE,))
    centres = np.zeros([7, 3], np.float32)
    centres[1] = [1, 0, 0]
    related = _nothing(7)
    related[1, 0, 1] = True
    got = _run([rule], [0] * 5, related, centres, num_players=2)
    self.assertEqual(int(got.slot_types[0]), _YELLOW_CUBE.type_id)
    np.testing.assert_allclose(got.origin[0], [0.5, 0, 0])

  def test_objects_follow_two_players(self):
    cube, sphere = _BLACK_CUBE.type_id, _BLACK_SPHERE.type_id
    rule = Rule(Literal("near", _BLACK_CUBE, _BLACK_SPHERE))
    related = _nothing(7)
    related[1, 3, 5] = True  # Slots 1 and 3.
    got = _run([rule], [cube, cube, sphere, sphere, 0], related, num_players=2)
    np.testing.assert_array_equal(got.slot_types, [cube, 0, sphere, 0, 0])
    self.assertEqual(int(got.alive), 0b0010111)

  def test_spawns_take_part_from_the_next_step_on(self):
    game = [
      Rule(Literal("near", _BLACK_CUBE, _BLACK_CUBE), (_YELLOW_CUBE,)),
      Rule(Literal("near", _YELLOW_CUBE, _BLACK_SPHERE), ()),
    ]
    cube, sphere = _BLACK_CUBE.type_id, _BLACK_SPHERE.type_id
    related = _near((1, 2), (1, 3), (2, 3))
    got = _run(game, [cube, cube, sphere, 0, 0], related)
    np.testing.assert_array_equal(got.fired, [1, 0, 0, 0])
    np.testing.assert_array_equal(
      got.slot_types, [_YELLOW_CUBE.type_id, 0, sphere, 0, 0]
    )

  def test_negated_condition_needs_its_objects(self):
    rule = Rule(Literal("near", _BLACK_CUBE, _BLACK_SPHERE, negated=True))
    cube, sphere = _BLACK_CUBE.type_id, _BLACK_SPHERE.type_id
    alone = _run([rule], [cube, 0, 0, 0, 0], _nothing())
    self.assertFalse(alone.fired[0])
    both = _run([rule], [cube, 0, sphere, cube, sphere], _nothing())
    np.testing.assert_array_equal(both.slot_types, [0, 0, 0, cube, sphere])
    one_pair = _run([rule], [cube, 0, sphere, cube, sphere], _near((4, 5)))
    self.assertFalse(one_pair.fired[0])

  def test_a_full_world_drops_spawns(self):
    cube, sphere = _BLACK_CUBE.type_id, _BLACK_SPHERE.type_id
    rule = Rule(Literal("near", Player(1), _BLACK_CUBE), (_YELLOW_CUBE,) * 3)
    got = _run([rule], [cube, *[sphere] * 4], _near((0, 1)))
    self.assertEqual(int(got.dropped), 2)
    np.testing.assert_array_equal(
      got.slot_types, [_YELLOW_CUBE.type_id, *[sphere] * 4]
    )


if __name__ == "__main__":
  absltest.main()
