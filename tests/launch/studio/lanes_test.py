"""Tests of playing lanes, with players that count; see watching_test."""

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.studio import lanes
from tests.launch import fakes


class FakeLane:
  """A lane whose frames are numbers, and which may stop."""

  def __init__(self, stops_at=None):
    self.error, self.note, self.rewards = "", "a note", [0.0]
    self.ends = []
    self._count = 0
    self._stops_at = stops_at

  def step(self):
    self._count += 1
    if self._count == self._stops_at:
      raise errors.UserError("no\nroom")
    self.rewards[-1] += 0.12345

  def frame(self):
    return {"n": self._count}

  def end_trial(self, is_last):
    self.ends.append((self._count, is_last))


class PlayTest(absltest.TestCase):
  def play(self, *playing, seconds=1e9, is_stopped=lambda: False):
    """Plays two trials of 15 steps; returns what is emitted."""
    task, sent = fakes.make_task(trials=2, seconds=2.0), []
    with absltest.mock.patch.object(lanes, "_CHUNK_SECONDS", seconds):
      lanes.play(playing, task, lambda **more: sent.append(more), is_stopped)
    return sent

  def test_all_frames_are_sent_and_trials_end(self):
    lane = FakeLane()
    [sent] = self.play(lane)
    self.assertEqual((sent["first"], sent["total"]), (0, 31))
    self.assertEqual(sent["frames"], [[{"n": n} for n in range(31)]])
    self.assertEqual(sent["rewards"], [[round(30 * 0.12345, 3)]])
    self.assertEqual((sent["errors"], sent["notes"]), ([""], ["a note"]))
    self.assertEqual(lane.ends, [(15, False), (30, True)])

  def test_frames_are_sent_in_chunks_each_once(self):
    sent = self.play(FakeLane(), seconds=-1.0)
    self.assertEqual([more["first"] for more in sent], [*range(31)])
    self.assertEqual(
      [more["frames"] for more in sent], [[[{"n": n}]] for n in range(31)]
    )

  def test_a_lane_that_stops_does_so_alone(self):
    stopping, other = FakeLane(stops_at=4), FakeLane()
    [sent] = self.play(stopping, other)
    self.assertEqual([len(row) for row in sent["frames"]], [4, 31])
    self.assertEqual(sent["errors"], ["no room", ""])
    self.assertEmpty(stopping.ends)

  def test_when_nobody_watches_nothing_is_sent(self):
    lane = FakeLane()
    self.assertEmpty(self.play(lane, is_stopped=lambda: lane.frame()["n"] == 9))
    self.assertEqual(lane.frame(), {"n": 9})


if __name__ == "__main__":
  absltest.main()
