"""Tests of the configuration of `Land` and of its observation spec."""

from typing import Any

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import land_types


class LandConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ("num_slots", 0, "num_slots is 0, allowed: 1 to 24"),
    ("num_slots", 25, "num_slots is 25, allowed: 1 to 24"),
    ("num_players", 3, "num_players is 3, allowed: 1 to 2"),
    ("max_rules", 0, "max_rules is 0, allowed: 1 to 16"),
    ("max_rules", 17, "max_rules is 17, allowed: 1 to 16"),
    ("observation", "pixel", "observation is 'pixel', .* entities, pixels"),
    ("pixels", (24,), "pixels is .24,., allowed: width and height"),
    ("pixels", (0, 18), "pixels' width is 0, allowed: 1 to 1024"),
    ("pixels", (24, 0), "pixels' height is 0, allowed: 1 to 1024"),
    ("pixels", (24, 1025), "pixels' height is 1025"),
    ("num_slots", 2.5, "num_slots is 2.5, allowed: a whole number"),
    ("pixels", (8.5, 6), "pixels' width is 8.5, allowed: a whole number"),
    ("num_threads", 0, "num_threads is 0, allowed: 1 to 1024"),
    ("backend", "abacus", "backend is 'abacus', allowed: cpu, gpu"),
    ("device", "abacus", "device is 'abacus', allowed: cuda, cpu"),
  )
  def test_refuses_values_out_of_range(self, field, value, message):
    with self.assertRaisesRegex(ValueError, message):
      land_types.LandConfig(**{field: value})

  def test_a_size_may_be_a_list(self):
    size: Any = [8, 6]
    config = land_types.LandConfig(pixels=size)
    self.assertEqual(hash(config), hash(land_types.LandConfig(pixels=(8, 6))))


class ObservationSpecTest(absltest.TestCase):
  def spec(self, **values):
    config = land_types.LandConfig(num_slots=5, max_rules=3, **values)
    return land_types.observation_spec(config)

  def test_entities_of_one_player(self):
    spec = self.spec()
    self.assertEqual(
      {name: shape for name, (shape, _) in spec.items()},
      {
        "goal": (6,),
        "rules": (3, 14),
        "entities": (5, 14),
        "terrain": (25,),
        "proprio": (4,),
        "last_action": (6,),
        "last_reward": (),
        "clock": (10,),
      },
    )
    whole = {name for name, (_, d) in spec.items() if d == np.int32}
    self.assertEqual(whole, {"goal", "rules", "last_action"})

  def test_the_other_player_is_an_entity(self):
    self.assertEqual(self.spec(num_players=2)["entities"][0], (6, 14))

  def test_pixels_replace_entities_and_terrain(self):
    spec = self.spec(observation="pixels", pixels=(32, 20))
    self.assertEqual(spec["pixels"], ((20, 32, 3), np.uint8))
    self.assertNoCommonElements(set(spec), {"entities", "terrain"})


if __name__ == "__main__":
  absltest.main()
