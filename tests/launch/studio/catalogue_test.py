"""Tests of adaland.launch.studio.catalogue, with made-up agents."""

from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.agent.checkpoint import weights
from adaland.launch import errors
from adaland.launch.studio import catalogue


class CatalogueTest(absltest.TestCase):
  def test_a_run_s_agent_is_that_of_its_newest_checkpoint(self):
    steps: list[int] = []
    loaded: list[str] = []

    def load(workdir: str, own_parts: bool) -> Any:
      loaded.append(workdir)
      if workdir == "run" and not steps:
        raise errors.UserError("there is no checkpoint")
      newest = steps[-1] if workdir == "run" else -1
      return absltest.mock.Mock(params={"w": np.full(1, newest)})

    patch = absltest.mock.patch.object
    for target, name, fake in (
      (catalogue.trained_agent, "load_config", lambda *_: None),
      (catalogue.trained_agent, "load", load),
      (catalogue.checkpoint, "steps", lambda _: steps),
    ):
      self.enter_context(patch(target, name, fake))
    known = catalogue.Catalogue(["run"])
    for newest in (7, 9):
      wanted = weights.fingerprint({"w": np.full(1, newest)})
      self.assertEqual(known.agent_of(wanted), "")
      steps.append(newest)
      self.assertEqual(known.agent_of(wanted), "run")
      self.assertEqual(known.agent("run").params["w"], newest)
    # Each checkpoint is read once, and so is each agent without them.
    self.assertEqual(loaded.count("run"), 3)
    self.assertEqual(loaded.count("agent:laptop"), 1)

  def test_other_names_are_refused(self):
    with self.assertRaisesRegex(errors.UserError, "agent: 'x' is not one of"):
      catalogue.Catalogue().agent("x")


if __name__ == "__main__":
  absltest.main()
