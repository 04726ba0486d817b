"""Tests of adaland.envs.sampling.choices; game_sampler_test has games."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import tables
from adaland.envs.sampling import choices
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks.literals import parse_literal


class ChoicesTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.source = choices.Choices(SamplerConfig(), np.random.default_rng(0))

  @parameterized.parameters(
    ("player", 0.0, True),
    ("any", 0.0, False),
    ("any", 1.0, True),
    ("object", 1.0, False),
  )
  def test_the_player_is_where_the_predicate_has_one(
    self, kind, probability, expected
  ):
    row = tables.PREDICATE_OF_NAME["near"]._replace(arguments=(kind, "object"))
    with absltest.mock.patch.dict(tables.PREDICATE_OF_NAME, near=row):
      found = self.source.with_player("near", probability)
    self.assertEqual(found, expected)

  def test_a_predicate_without_weight_is_drawn_if_asked_for(self):
    row = tables.PREDICATE_OF_NAME["near"]._replace(weight=0)
    with absltest.mock.patch.dict(tables.PREDICATE_OF_NAME, near=row):
      self.assertEqual(self.source.pick_predicate(["near"]), "near")

  def test_a_literal_needs_two_unused_types(self):
    for _ in range(11):
      self.source.take_type()
    for with_player in (False, True):
      with self.assertRaises(choices.NoGameError):
        self.source.relate("near", with_player, negated=False)
    self.source.take_type()
    with self.assertRaises(choices.NoGameError):
      self.source.take_type()

  @parameterized.parameters(
    ("touching(black cube, purple pyramid)", True),
    ("touching(black cube, purple sphere)", False),
    ("touching(player1, black cube)", True),
    ("touching(player1, black pyramid)", False),
    ("touching(black pyramid, player1)", False),
    ("touching(player1, black sphere)", False),
  )
  def test_stays_in_contact(self, text, expected):
    self.assertEqual(choices.stays_in_contact(parse_literal(text)), expected)


if __name__ == "__main__":
  absltest.main()
