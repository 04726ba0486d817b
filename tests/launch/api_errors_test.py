"""Tests that errors of the public functions name arguments, not flags."""

from typing import Any

from absl.testing import absltest, parameterized

import adaland
from adaland.launch import errors


class ApiErrorsTest(parameterized.TestCase):
  @parameterized.parameters(
    ({"source": "labtop"}, "^source: preset: 'labtop' is not one of"),
    ({"tasks": "no/such"}, "^tasks=no/such: no such file or folder"),
    ({"tasks": "traps:size=3"}, "^tasks: 'traps:size=3': traps has no"),
  )
  def test_of_evaluate(self, arguments, message):
    with self.assertRaisesRegex(errors.UserError, message):
      adaland.evaluate("noop", **arguments)

  @parameterized.parameters(
    ("/no/such", "^workdir=/no/such: no such directory"),
    ("agent:nobody", "^workdir=agent:nobody: 'nobody' is not one of"),
    (3, "^workdir is 3, allowed: a path, or agent:NAME"),
    ("", "^workdir is '', allowed: a path, or agent:NAME"),
  )
  def test_of_load_agent(self, workdir, message):
    with self.assertRaisesRegex(errors.UserError, message):
      adaland.load_agent(workdir)

  def test_of_train(self):
    place = self.create_tempdir()
    place.create_file("other")
    refused: Any = (
      ({"launcher": "moon"}, "^launcher: 'moon' is not one of local, ray"),
      ({"launcher": 3}, "^launcher: 3 is not one of local, ray"),
      ({"workdir": 3}, "^workdir is 3, allowed: a path"),
      ({"workdir": "agent:laptop"}, "^workdir=agent:laptop: means an agent of"),
      ({"launcher": "ray", "ray_address": ""}, "^ray_address: is empty"),
      ({"ray_address": "auto"}, "^ray_address: only with launcher ray"),
      ({"workdir": place.full_path}, "^workdir=.*: exists, is not empty"),
    )
    for arguments, message in refused:
      with self.assertRaisesRegex(errors.UserError, message):
        adaland.train("smoke", **{"workdir": "/no/such/run", **arguments})

  @parameterized.parameters(([("run.seed", 1)],), ({3: 1},))
  def test_of_presets(self, settings):
    with self.assertRaisesRegex(errors.UserError, "^settings is .*, allowed: "):
      adaland.presets.laptop(settings)


if __name__ == "__main__":
  absltest.main()
