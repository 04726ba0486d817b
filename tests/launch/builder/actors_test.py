"""Tests of adaland.launch.builder.actors; nothing is compiled or computed."""

from absl.testing import absltest

from adaland.envs import land
from adaland.launch import builder
from adaland.launch.config import preset_configs


class ActorsTest(absltest.TestCase):
  def test_environments_get_the_run_s_sizes(self):
    config = preset_configs.smoke()
    with absltest.mock.patch.object(land, "Land") as made:
      result = builder.environment(config, 4, 9, self.fail)
    made.assert_called_once_with(4, config.env, self.fail, 9)
    self.assertIs(result, made.return_value)


if __name__ == "__main__":
  absltest.main()
