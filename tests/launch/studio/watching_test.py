"""Tests of players side by side on a page, live or recorded."""

import base64
import dataclasses
import json

import numpy as np
import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import weights
from adaland.envs import land
from adaland.envs.sampling import candidates
from adaland.envs.tasks import json_files
from adaland.envs.tasks.task import Hiding
from adaland.launch.evaluation import demo, recording, rollout
from adaland.launch.studio import lanes, messages
from tests.launch import fakes
from tests.launch.studio import pages

# The tests of client_test use the same agents, in the same process.
pytestmark = pytest.mark.xdist_group("studio")


class WatchingTest(pages.PageTest):
  def test_a_kept_episode_is_scrubbed_with_the_mind_of_its_agent(self):
    # An agent's worlds, and an episode that is not the environment's first.
    agent = self.known.agent("agent:mixture")
    recorder = recording.Recorder([1])
    with absltest.mock.patch.object(rollout, "MAX_ENVS", 1):
      rollout.play(
        land.maker(agent.config.env),
        [pages.TASK, pages.TASK],
        lambda _: fakes.Constant(1),
        seed=3,
        recorder=recorder,
      )
    [entry] = recorder.entries("agent")
    self.assertEqual(entry["episode"], 1)
    page = self.page()
    kept = {"demo": entry["demo"], "episode": 1}
    sha = weights.fingerprint(agent.params)
    page.ask(messages.Watch(("demo",), **kept, agent=sha), "lanes")
    frames, more = self.frames(page)
    self.assertEqual((more["errors"], more["notes"]), ([""], [""]))
    np.testing.assert_allclose(more["rewards"][0], entry["rewards"], atol=1e-3)
    self.assertLen(frames[20]["past"], agent.config.network.num_layers)
    self.assertIn("belief", frames[20])

    page.ask(messages.Watch(("demo",), **kept, agent="another"), "lanes")
    without, more = self.frames(page)
    self.assertIn("is not here", more["notes"][0])
    self.assertNotIn("past", without[20])
    page.ask(messages.Watch(("demo",), demo=entry["demo"]), "lanes")
    other, _ = self.frames(page)
    # Another episode of the environment starts with another yaw.
    self.assertNotAlmostEqual(frames[0]["p"][0][3], other[0]["p"][0][3])

  def test_a_recording_that_comes_out_otherwise_is_told(self):
    page = self.page()
    actions = np.zeros([30, 6], np.int32)
    kept = demo.Demo(pages.TASK, 0, actions, np.array([9.0], np.float32))
    text = base64.b64encode(demo.encode(kept)).decode()
    page.ask(messages.Watch(("demo", "noop"), demo=text), "lanes")
    _, more = self.frames(page)
    self.assertIn("9.00 s when it was recorded", more["notes"][0])
    self.assertEqual(more["notes"][1], "")

  def test_the_guide_prompts_where_it_can_play(self):
    page = self.page()
    simple = candidates.Traps().task(0)
    told = dataclasses.replace(simple, hiding=(Hiding(),))
    for task, teacher in ((simple, "guide"), (told, "expert")):
      text = json.dumps(json_files.to_json(task))
      with absltest.mock.patch.object(
        lanes.policies, "baseline", wraps=lanes.policies.baseline
      ) as baseline:
        page.ask(messages.Watch(("prompted agent:laptop",), text), "lanes")
        self.assertEqual(page.get("frames")["errors"], [""])
      baseline.assert_called_once()
      self.assertEqual(baseline.call_args.args[0], teacher)

  def test_hidden_rules_are_told_to_those_who_ask_for_them(self):
    page = self.page()
    watched = messages.Watch(("noop",), pages.TEXT, reveal=True)
    found = page.ask(watched, "lanes")["told"]
    self.assertEqual(found["rules"], [str(pages.TASK.rules[0])])
    self.assertEqual(found["hidden"], [0])
    found = page.ask(messages.Load(pages.TEXT), "task")["task"]
    self.assertEqual(json_files.from_json(found), pages.TASK)

  def test_a_player_that_cannot_play_stops_alone(self):
    page = self.page()
    many = json_files.to_json(pages.TASK) | {
      "objects": [{"type": "black cube"}] * 9
    }
    watched = messages.Watch(("agent:laptop", "noop"), json.dumps(many))
    page.send(watched)
    found = page.get("frames")
    self.assertIn("hold at most 6", found["errors"][0])
    self.assertEqual(found["errors"][1], "")


if __name__ == "__main__":
  absltest.main()
