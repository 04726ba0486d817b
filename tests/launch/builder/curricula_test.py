"""Tests of adaland.launch.builder.curricula; nothing is computed."""

from absl.testing import absltest, parameterized

from adaland.curriculum import plr, uniform
from adaland.launch import builder
from adaland.launch.config import overrides, preset_configs


class CurriculaTest(parameterized.TestCase):
  @parameterized.parameters(
    ("uniform", uniform.UniformCurriculum), ("plr", plr.PLRCurriculum)
  )
  def test_the_curriculum_draws_from_the_training_half(self, kind, cls):
    config = overrides.apply(
      preset_configs.smoke(), [f"curriculum.kind={kind}"]
    )
    made = builder.curriculum(config)
    self.assertIsInstance(made, cls)
    [assignment] = made.next_tasks(1)
    self.assertStartsWith(assignment.task.name, "train ")


if __name__ == "__main__":
  absltest.main()
