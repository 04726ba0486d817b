"""Tests of adaland.launch.studio.editing; client_test has a page."""

import types
from typing import Any

from absl.testing import absltest

from adaland.envs.tasks.task import Task
from adaland.launch.studio import editing


class CheckTest(absltest.TestCase):
  def test_feedback_on_a_task_that_needs_its_second_rule(self):
    task = Task.of(
      goal="near(player1, purple wall)",
      objects=["yellow sphere"],
      rules=[
        "hold(player1, black cube) -> purple wall",
        "hold(player1, yellow sphere) -> purple wall",
      ],
      tiles=(6, 6),
    )
    known: Any = types.SimpleNamespace(
      agents=["one", "two"],
      fault=lambda name, task: f"{name} has no room" if name == "two" else "",
    )
    found = editing.check(task, known)
    # People count rules from 1.
    self.assertEqual(found["solution"], [2])
    self.assertEqual(found["measures"]["rules"], 2)
    self.assertEqual(found["agents"], {"one": "", "two": "two has no room"})
    self.assertLen(found["scene"]["objects"], 1)


if __name__ == "__main__":
  absltest.main()
