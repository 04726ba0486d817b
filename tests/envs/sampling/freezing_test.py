"""Tests of adaland.envs.sampling.freezing; game_sampler_test has more."""

from absl.testing import absltest, parameterized

from adaland.envs.sampling import freezing
from adaland.envs.tasks.literals import ObjectType, parse_literal, parse_rule

_B, _P, _Y = "black cube", "purple cube", "yellow cube"


class CanBeDoneTest(parameterized.TestCase):
  @parameterized.parameters(
    (f"hold(player1, {_B})", [], {_P}, True),
    (f"hold(player1, {_B})", [], {_B}, False),
    (f"not hold(player1, {_B})", [], {_B}, True),
    (f"near(player1, {_B})", [], {_B}, True),
    (f"touching({_B}, player1)", [], {_B}, True),
    (f"see({_B}, {_P})", [], {_B, _P}, True),
    (f"near({_B}, {_P})", [], {_B}, True),
    (f"near({_B}, {_P})", [], {_P}, True),
    (f"near({_B}, {_P})", [], {_B, _P}, False),
    (f"not near({_B}, {_P})", [], {_B, _P}, False),
    (f"near(player1, {_B})", [f"hold(player1, {_P}) -> {_B}"], {_P}, False),
    # What a rule spawns is not frozen.
    (f"hold(player1, {_B})", [f"near(player1, {_P}) -> {_B}"], {_B}, True),
  )
  def test_what_must_move_is_not_frozen(self, goal, rules, frozen, expected):
    rules = [parse_rule(text) for text in rules]
    frozen = {ObjectType.from_name(name) for name in frozen}
    found = freezing.can_be_done(parse_literal(goal), rules, frozen)
    self.assertEqual(found, expected)


if __name__ == "__main__":
  absltest.main()
