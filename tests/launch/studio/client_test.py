"""Tests of the answers to a page's messages: games, studies, editing."""

import base64
import json
import threading

import numpy as np
import pytest
from absl.testing import absltest, parameterized

from adaland.envs.tasks import json_files
from adaland.launch import errors
from adaland.launch.evaluation import demo
from adaland.launch.studio import client, guard, messages, people
from tests.launch.studio import pages

# The tests of watching_test use the same agents, in the same process.
pytestmark = pytest.mark.xdist_group("studio")


class ClientTest(pages.PageTest):
  def test_a_game_is_recorded_and_played_again_and_nothing_hidden_is_told(self):
    page = self.page()
    told = page.ask(messages.Play(pages.TEXT, seed=3), "world")["told"]
    self.assertEqual(told["rules"], ["?"])
    start = page.get("frame")
    self.assertEqual((start["k"], start["t"]), (0, 0))
    wish = messages.Act(move=2, yaw=0.0, number=9)
    frames, rewards = self.play(page, wish)
    # No state is left out, and each tells which request it followed.
    self.assertEqual(
      [(f["k"], f["t"]) for f in frames],
      [(0, t) for t in range(1, 30)] + [(1, t) for t in range(31)],
    )
    self.assertEqual(frames[3]["n"], 9)
    self.assertGreater(min(rewards), 0.2)
    self.assertAlmostEqual(frames[28]["sums"][0], rewards[0], delta=0.15)
    self.assertNotIn("purple", "".join(page.all))

    kept = page.ask(messages.Keep(), "kept")
    found = demo.decode(base64.b64decode(kept["demo"]))
    self.assertEqual((found.task, found.seed), (pages.TASK, 3))
    np.testing.assert_allclose(found.rewards, rewards, atol=1e-6)

    players = ("demo", "expert", "forgetful")
    watched = messages.Watch(players, demo=kept["demo"])
    begun = page.ask(watched, "lanes")
    self.assertEqual(begun["told"]["rules"], ["?"])
    # Not the purple wall of the hidden rule, whose id is 2.
    self.assertEqual((begun["types"], begun["truth"]), ([4, 9], None))
    lanes = [[], [], []]
    more = {}
    while len(lanes[0]) < 61:
      more = page.get("frames")
      for lane, part in zip(lanes, more["frames"], strict=True):
        lane += part
    self.assertEqual(more["errors"], ["", "", ""])
    self.assertEqual(more["notes"], ["", "", ""])
    np.testing.assert_allclose(more["rewards"][0], rewards, atol=1e-3)
    self.assertGreater(more["rewards"][1][0], rewards[0] - 0.3)
    for mine, again in zip(frames, lanes[0][1:], strict=True):
      self.assertEqual((mine["p"], mine["o"]), (again["p"], again["o"]))
    self.assertNotIn("purple", "".join(page.all))

  def test_a_study_counts_what_was_begun(self):
    page = self.page()
    begun = page.ask(messages.Study((pages.TEXT, pages.TEXT), 1), "study")
    self.assertEqual(begun["count"], 2)
    self.assertEqual(begun["faults"]["agent:laptop"], "")
    page.ask(messages.Next(), "world")
    _, rewards = self.play(page, messages.Act(move=2, yaw=0.0))
    self.assertLen(rewards, 1)
    page.ask(messages.Next(), "world")  # Started, and ended at once.
    result = page.ask(messages.Result(), "measured")["result"]
    self.assertEqual(result["policy"], "human")
    self.assertEqual((result["num_tasks"], result["num_scored"]), (2, 2))
    given = [task["rewards"]["1"] for task in result["tasks"]]
    np.testing.assert_allclose(given, [rewards[0], 0.0], atol=1e-6)
    expert = result["tasks"][0]["expert"]
    self.assertAlmostEqual(
      result["by_trial"]["mean"][0], rewards[0] / expert / 2, places=4
    )
    self.assertNotIn("purple", "".join(page.all))
    self.assertEqual(page.ask(messages.Next(), "studied")["count"], 2)

  def test_a_task_that_can_t_be_played_is_left_out_of_a_study(self):
    def make(task, *_):
      if task.name == "b":
        raise errors.UserError("b: no room")
      rewards = {"a": [1.0], "c": [3.0]}[task.name]
      return absltest.mock.Mock(free_player=None, rewards=rewards, pauses=0)

    def best(tasks, make_land, progress):
      return np.full(len(tasks), 4.0)

    patch = absltest.mock.patch.object
    self.enter_context(patch(client.game, "Game", make))
    self.enter_context(patch(people.expert, "expert_rewards", best))
    texts = [
      json.dumps(json_files.to_json(pages.TASK) | {"name": name})
      for name in "abc"
    ]
    page = self.page()
    page.ask(messages.Study(tuple(texts), 1), "study")
    page.send(messages.Next())
    with self.assertRaisesRegex(AssertionError, "no room"):
      page.ask(messages.Next(), "world")
    page.send(messages.Next())
    self.assertEqual(page.ask(messages.Next(), "studied")["count"], 2)
    result = page.ask(messages.Result(), "measured")["result"]
    self.assertEqual(
      [(task["id"], task["rewards"]["1"]) for task in result["tasks"]],
      [("a", 1.0), ("c", 3.0)],
    )

  def test_two_pages_play_together(self):
    one, two = self.page(), self.page()
    self.assertTrue(one.ask(messages.Play(pages.TWO), "world")["waiting"])
    told = two.ask(messages.Join(), "world")["told"]
    self.assertEqual(told["goal"], "not near(player1, player2)")
    one.get("ready")
    one.send(messages.Act(move=2, yaw=0.0))
    frames, _ = self.play(two, messages.Act(yaw=0.0))
    one.get("going")  # The other page let time pass.
    self.assertGreater(frames[-1]["p"][0][0], -0.5)  # Player 1 walked.
    one.get("over")
    with self.assertRaisesRegex(AssertionError, "no game waits"):
      two.ask(messages.Join(), "world")

  def test_a_page_that_can_t_join_leaves_its_seat_free(self):
    one, two, three = self.page(), self.page(), self.page()
    one.ask(messages.Play(pages.TWO), "world")
    with self.assertRaisesRegex(AssertionError, "can show player 1 only"):
      two.ask(messages.Join(pictures=True), "world")
    three.ask(messages.Join(), "world")
    one.get("ready")

  def test_the_end_is_told_to_the_player_who_stays(self):
    one, two = self.page(), self.page()
    one.ask(messages.Play(pages.TWO), "world")
    two.ask(messages.Join(), "world")
    two.get("ready")
    two.close()
    self.assertEqual(one.get("over")["rewards"], [])
    one.send(messages.Stop())
    self.assertNotIn("over", [json.loads(text)["type"] for text in two.all])

  def test_measuring_can_be_stopped(self):
    begun = threading.Event()

    def play(tasks, config, progress):
      while True:  # Until the page asks for something else.
        progress(0, 1)
        begun.set()

    page = self.page()
    page.ask(messages.Study((pages.TEXT,), 1), "study")
    page.ask(messages.Next(), "world")
    with absltest.mock.patch.object(people.expert, "expert_rewards", play):
      page.send(messages.Result())
      self.assertTrue(begun.wait(pages.SECONDS))
      page.send(messages.Stop())
    kinds = {json.loads(text)["type"] for text in page.all}
    self.assertIn("progress", kinds)
    self.assertNoCommonElements({"measured", "error"}, kinds)

  def test_the_expert_is_the_first_of_two_players(self):
    page = self.page()
    told = page.ask(messages.Play(pages.WITH_EXPERT, partner="expert"), "world")
    self.assertEqual(told["told"]["me"], 1)
    self.assertEqual(told["told"]["goal"], "near(player2, black cube)")
    frames, _ = self.play(page, messages.Act())
    # It has walked to the cube, while the person stood still.
    gaps = [abs(f["p"][0][0] - f["o"][0][2]) for f in frames]
    self.assertLess(min(gaps), 1.1)
    self.assertAlmostEqual(frames[5]["p"][1][0], 2.0, delta=0.05)

  def test_a_pause_stops_time(self):
    self.shared.pace = 0.05
    page = self.page()
    page.ask(messages.Play(pages.TEXT), "world")
    page.send(messages.Go())
    page.get("frame")
    page.ask(messages.Pause(), "paused")
    page.send(messages.Stop())
    with self.assertRaisesRegex(AssertionError, "at least one trial"):
      page.ask(messages.Keep(), "kept")

  @parameterized.parameters(
    (messages.Card("/etc/passwd"), "probe:NAME"),
    (messages.Card("../secret.json"), "probe:NAME"),
    (messages.Card("probe:../../x"), "no probe is named"),
    (messages.Card("nothing:1"), "not one of"),
    (messages.Card("traps:99999999999999999999999"), "probe:NAME"),
    (messages.Card('{"format": 1}'), "task: the task lacks"),
    (messages.Card('{"a": ' + "[" * 9999), "task: "),
    (messages.Run("/tmp"), "run: '/tmp' is not one of"),
    (messages.Join(), "no game waits"),
    (messages.Next(), "no study"),
    (messages.Result(), "no study"),
    (messages.Keep(), "nothing was played"),
    (messages.Watch(("demo",), demo="!"), "demo: is not base64"),
    (messages.Watch(("demo",), demo="AAAA"), "demo: is not a demonstration"),
    (messages.Play(pages.TEXT, partner="expert"), "two players only"),
    (messages.Play(pages.TWO, partner="expert"), "expert does not understand"),
    (
      messages.Play(pages.WITH_EXPERT, partner="expert", pictures=True),
      "without WebGL a page can show player 1 only",
    ),
    (messages.Study((pages.TWO,), 1), "two players"),
  )
  def test_bad_input_is_one_line_and_the_page_goes_on(self, message, text):
    page = self.page()
    page.send(message)
    found = page.queue.get(timeout=pages.SECONDS)
    self.assertEqual(found["type"], "error")
    self.assertIn(text, found["text"])
    self.assertNotIn("\n", found["text"])
    self.assertIn("about", found)
    told = page.ask(messages.Card("traps:0"), "card")["told"]
    self.assertEqual(set(told["rules"]), {"?"})

  def test_an_error_is_not_told_to_a_page_that_has_gone(self):
    send = absltest.mock.Mock(side_effect=messages.GoneError)
    page = self.shared.connect(send)
    page.handle(messages.Next())  # No study was started.
    send.assert_called_once()

  def test_what_fits_an_agent_is_told(self):
    fitting = self.shared.lists()["fitting"]["agent:laptop"]
    self.assertIn("dont-act", fitting)
    self.assertNotIn("pyramid-in-a-haystack", fitting)
    page = self.page()
    for name, fault in (("dont-act", ""), ("pyramid-in-a-haystack", "20 obj")):
      found = page.ask(messages.Card(f"probe:{name}"), "card")["faults"]
      self.assertIn(fault, found["agent:laptop"])
      self.assertEqual(found["agent:laptop"] == "", name in fitting)

  def test_new_drafts_are_of_the_format_that_is_written(self):
    text = (guard.PAGE / "draft.js").read_text()
    self.assertIn(f"format: '{json_files.FORMAT}'", text)

  def test_editing_tells_what_becomes_of_a_task(self):
    page = self.page()
    found = page.ask(messages.Check(pages.TEXT), "checked")
    self.assertEqual(found["solution"], [])
    self.assertEqual(found["agents"]["agent:laptop"], "")
    self.assertEqual(found["scene"]["objects"][0][:3], [4, 1.5, 0.0])
    hard = json_files.to_json(pages.TASK)
    hard["players"][0]["goal"] = "hold(player1, purple cube)"
    self.assertIsNone(
      page.ask(messages.Check(json.dumps(hard)), "checked")["solution"]
    )


if __name__ == "__main__":
  absltest.main()
