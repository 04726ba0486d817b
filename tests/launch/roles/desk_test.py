"""Tests of adaland.launch.roles.desk."""

import threading

import numpy as np
from absl.testing import absltest

from adaland.curriculum import base, uniform
from adaland.launch.roles import desk
from tests.launch import fakes


def _curriculum(seed=0):
  return uniform.UniformCurriculum(lambda i: fakes.make_task(str(i)), seed)


def _record(*rewards):
  return base.EpisodeRecord(
    0, True, np.array(rewards, np.float32), 0.0, 0.0, 0.0
  )


class Store:
  """Does what it is told to, in turn; then keeps what it is given."""

  def __init__(self, *errors):
    self.errors = list(errors)
    self.kept = []

  def insert_encoded(self, data):
    if self.errors:
      raise self.errors.pop(0)
    self.kept.append(data)


class DeskTest(absltest.TestCase):
  def test_tasks_are_the_curriculum_s(self):
    made = desk.Desk(_curriculum(3))
    self.assertEqual(made.next_tasks(4), _curriculum(3).next_tasks(4))
    self.assertEqual(made.curriculum_metrics()["tasks_drawn"], 4)

  def test_counts(self):
    made = desk.Desk(_curriculum())
    made.count_steps(7)
    made.count_steps(5)
    made.report(_record(1.0))
    self.assertEqual(made.counters(), {"env_steps": 12, "episodes": 1})

  def test_rewards_by_trial_of_episodes_of_different_length(self):
    made = desk.Desk(_curriculum())
    self.assertEqual(made.trial_rewards(), [])
    made.report(_record(1.0, 2.0))
    made.report(_record(3.0, 5.0, 6.0))
    made.report(_record(5.0))
    self.assertEqual(made.trial_rewards(), [3.0, 3.5, 6.0])

  def test_only_recent_episodes_are_shown(self):
    made = desk.Desk(_curriculum())
    for _ in range(200):
      made.report(_record(1.0))
    self.assertEqual(made.trial_rewards(), [1.0])
    for _ in range(200):
      made.report(_record(4.0))
    self.assertEqual(made.trial_rewards(), [4.0])

  def test_it_goes_on_from_its_state(self):
    one, two = desk.Desk(_curriculum(1)), desk.Desk(_curriculum(2))
    one.next_tasks(3)
    one.count_steps(9)
    one.report(_record(1.0))
    two.load_state_dict(one.state_dict())
    self.assertEqual(two.counters(), {"env_steps": 9, "episodes": 1})
    self.assertEqual(two.next_tasks(2), one.next_tasks(2))

  def test_an_unroll_waits_for_room(self):
    store = Store(TimeoutError("full"), TimeoutError("full"))
    desk.Desk(_curriculum(), store).insert_encoded(b"unroll")
    self.assertEqual(store.kept, [b"unroll"])

  def test_a_broken_unroll_is_told(self):
    for error in (ValueError("no unroll"), RuntimeError("closed")):
      with self.assertRaises(type(error)):
        desk.Desk(_curriculum(), Store(error)).insert_encoded(b"unroll")

  def test_closing_lets_those_go_who_wait(self):
    waits = threading.Event()

    class Full(Store):
      def insert_encoded(self, data):
        waits.set()
        raise TimeoutError

    made = desk.Desk(_curriculum(), Full())
    thread = threading.Thread(target=made.insert_encoded, args=(b"unroll",))
    thread.start()
    self.assertTrue(waits.wait(10))
    made.close()
    thread.join(10)
    self.assertFalse(thread.is_alive())

  def test_a_store_that_closed_first_is_no_fault(self):
    class Closing(Store):
      def insert_encoded(self, data):
        made.close()
        raise RuntimeError("closed")

    made = desk.Desk(_curriculum(), Closing())
    self.assertIsNone(made.insert_encoded(b"unroll"))


if __name__ == "__main__":
  absltest.main()
