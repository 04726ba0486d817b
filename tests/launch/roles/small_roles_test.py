"""Tests of the actor's and the evaluator's role, with nobody else there."""

import threading
import time
import types
from typing import Any

from absl.testing import absltest

from adaland.agent.replay import spec as spec_lib
from adaland.launch.config import overrides, presets
from adaland.launch.roles import actor as actor_role
from adaland.launch.roles import evaluator, parameters, replay_server, role
from tests.launch.roles import fakes


def _until(condition, seconds=10.0):
  deadline = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < deadline, "it took too long"
    time.sleep(0.002)


class _Desk:
  """Has no tasks."""

  def exchange(self, who, steps, first, records, wanted):
    return []


class _Actor:
  """Steps until it is told to stop, or fails."""

  def __init__(self, channel, make_writer, fails):
    self.channel, self.fails = channel, fails
    self.writers = [make_writer(), make_writer()]

  def run(self, stop):
    while not stop.is_set():
      if self.fails:
        raise ConnectionError("gone")
      self.channel.count_steps(4)
      time.sleep(0.001)


class ActorRoleTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.actors: list[_Actor] = []
    self.fails = False

    def actor(config, made, channel, make_writer, seed):
      self.actors.append(_Actor(channel, make_writer, self.fails))
      return self.actors[-1]

    for name, value in (
      ("agent", lambda config: None),
      ("unroll_spec", lambda config, made: None),
      ("actor", actor),
    ):
      self.enter_context(
        absltest.mock.patch.object(actor_role.builder, name, value)
      )

  def make(self, store=None):
    setup = role.Setup(presets.smoke(), self.create_tempdir().full_path, False)
    return actor_role.ActorRole(
      3, setup, fakes.Peer(parameters.Board()), fakes.Peer(_Desk()), store
    )

  def test_it_steps_until_it_is_stopped(self):
    made = self.make()
    self.assertNotIn("steps", made.stats())
    thread = threading.Thread(target=made.run)
    thread.start()
    _until(lambda: made.stats().get("steps", 0) >= 8)
    made.stop()
    thread.join()
    (actor,) = self.actors
    one, another = actor.writers
    self.assertIsInstance(one, replay_server.FollowingWriter)
    self.assertIsNot(one, another)  # Each thread has its own.
    self.assertEqual(made.stats()["steps"] % 4, 0)
    self.assertNotIn("version", made.stats())

  def test_what_goes_wrong_is_its_answer(self):
    self.fails = True
    failure = self.make().run()
    self.assertEqual(
      failure, role.Failure("ConnectionError: gone", False, False)
    )

  def test_without_a_server_the_learner_takes_unrolls(self):
    made = self.make(fakes.Peer(None))
    made._stop.set()
    made.run()
    self.assertIsInstance(self.actors[0].writers[0], spec_lib.EncodedWriter)

  def test_a_store_without_room_is_asked_again(self):
    answers = [False, False, True]
    store = types.SimpleNamespace(insert_encoded=lambda data: answers.pop(0))
    with absltest.mock.patch.object(actor_role, "_FULL_SECONDS", 0.001):
      actor_role._Sender(fakes.Peer(store), 10.0)(b"x")
      self.assertEmpty(answers)
      store.insert_encoded = lambda data: False
      with self.assertRaisesRegex(TimeoutError, "took no unroll for 0.01 s"):
        actor_role._Sender(fakes.Peer(store), 0.01)(b"x")


class EvaluatorRoleTest(absltest.TestCase):
  def test_it_plays_with_the_newest_parameters(self):
    played: list[Any] = []

    def play(env, tasks, trials, make_policy, seed):
      played.append((len(tasks), [task.name for task in tasks]))
      return {k: [1.0 * k, 2.0 * k] for k in trials}

    config = overrides.apply(
      presets.smoke(), ["cluster.eval_minutes=1e-6", "cluster.eval_tasks=2"]
    )
    target = parameters.Board()
    setup = role.Setup(config, self.create_tempdir().full_path, False)
    made = evaluator.EvaluatorRole(setup, fakes.Peer(target))
    for module, name, value in (
      (evaluator.os, "nice", lambda by: by),
      (evaluator, "_LOOK_SECONDS", 0.01),
      (evaluator.builder, "agent", absltest.mock.Mock()),
      (evaluator.fewshot, "last_trial_rewards", play),
      (
        evaluator.actor_channel.BoardReader.__init__,
        "__defaults__",
        (lambda notice: notice.params[0],),
      ),
    ):
      self.enter_context(absltest.mock.patch.object(module, name, value))
    thread = threading.Thread(target=made.run)
    thread.start()
    time.sleep(0.05)
    self.assertEmpty(played)  # There are no parameters yet.
    target.post_params(1, 7, ["w"])
    _until(lambda: made.stats()["evaluations"] == 1)
    target.post_params(2, 9, ["w"])
    _until(lambda: made.stats()["evaluations"] == 2)
    made.stop()
    thread.join()
    stats = made.stats()
    self.assertEqual(stats["version"], 9)
    self.assertEqual(stats["rewards"], {1: 1.5, 2: 3.0})
    self.assertEqual(played[0][0], 2)


if __name__ == "__main__":
  absltest.main()
