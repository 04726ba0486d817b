"""Tests of adaland.launch.builder.curricula; nothing is computed."""

import json
import os

from absl.testing import absltest, parameterized

from adaland.curriculum import base, coplayers, plr, uniform
from adaland.launch import builder
from adaland.launch.config import overrides, preset_configs
from adaland.launch.run import decisions


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

  @parameterized.parameters(
    ("", coplayers.join(5, coplayers.RANDOM), "random"),
    (f"{__name__}:Own", 5, None),
  )
  def test_decisions_on_pairs_name_the_coplayer(self, own, index, coplayer):
    config = overrides.apply(
      preset_configs.smoke(),
      [
        "env.num_players=2",
        "tasks.two_player_probability=0.5",
        f"factories.curriculum={own}",
      ],
    )
    folder = self.create_tempdir().full_path
    log = builder.decision_log(config, folder)
    log.add([base.Decision(index, True, "passes", 1.0)], env_steps=0)
    log.flush()
    with open(os.path.join(folder, decisions.FILE)) as file:
      [line] = map(json.loads, file)
    self.assertEqual((line["task"], line.get("coplayer")), (5, coplayer))


class Own(uniform.UniformCurriculum):
  """A user's curriculum."""


if __name__ == "__main__":
  absltest.main()
