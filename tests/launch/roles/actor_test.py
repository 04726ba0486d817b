"""Tests of adaland.launch.roles.actor, with an actor that only counts."""

import threading
import time
import types

from absl.testing import absltest

from adaland.agent.replay.spec import EncodedWriter
from adaland.launch.config import preset_configs
from adaland.launch.roles import actor, parameters, replay_server, role
from tests.launch.roles import fakes


class _Curriculum:
  """A curriculum server without tasks."""

  def exchange(self, actor_id, steps, first, records, wanted):
    return []


class _Actor:
  """An actor that steps until it is told to stop, or fails."""

  def __init__(self, channel, make_writer, fails):
    self.channel, self.fails = channel, fails
    self.writers = [make_writer(), make_writer()]

  def run(self, stop):
    while not stop.is_set():
      if self.fails:
        raise ConnectionError("gone")
      self.channel.count_steps(4)
      time.sleep(0.001)


class ActorTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.actors: list[_Actor] = []
    self.fails = False

    def make_actor(config, made, channel, make_writer, seed):
      self.actors.append(_Actor(channel, make_writer, self.fails))
      return self.actors[-1]

    for name, value in (
      ("agent", lambda config: None),
      ("unroll_spec", lambda config, made: None),
      ("actor", make_actor),
    ):
      self.enter_context(absltest.mock.patch.object(actor.builder, name, value))

  def make(self, learner=None):
    setup = role.Setup(preset_configs.smoke(), self.create_tempdir().full_path)
    self.server = parameters.ParameterServer(setup)
    return actor.Actor(
      3,
      setup,
      fakes.Peer(self.server),
      fakes.Peer(_Curriculum()),
      learner,
      fakes.Store(),
    )

  def test_it_steps_until_it_is_stopped(self):
    self.enter_context(
      absltest.mock.patch.object(
        replay_server, "writer", lambda *args: object()
      )
    )
    made = self.make()
    self.assertNotIn("steps", made.stats())
    thread = threading.Thread(target=made.run)
    thread.start()
    fakes.until(lambda: made.stats().get("steps", 0) >= 8)
    made.stop()
    thread.join()
    (acting,) = self.actors
    one, another = acting.writers
    self.assertIsNot(one, another)  # Each thread has one.
    self.assertEqual(made.stats()["steps"] % 4, 0)
    self.assertNotIn("version", made.stats())

  def test_an_error_is_its_answer(self):
    self.fails = True
    self.enter_context(
      absltest.mock.patch.object(
        replay_server, "writer", lambda *args: object()
      )
    )
    failure = self.make().run()
    self.assertEqual(
      failure, role.Failure("ConnectionError: gone", False, False)
    )

  def test_one_stopped_before_there_is_a_server_ends_in_order(self):
    self.enter_context(
      absltest.mock.patch.object(
        replay_server, "writer", side_effect=replay_server.NoServerError
      )
    )
    self.assertIsNone(self.make().run())

  def test_without_a_server_the_learner_takes_unrolls(self):
    made = self.make(fakes.Peer(None))
    made.stop()
    made.run()
    self.assertIsInstance(self.actors[0].writers[0], EncodedWriter)

  def test_a_store_without_room_is_asked_again(self):
    answers = [False, False, True]
    store = types.SimpleNamespace(insert_encoded=lambda data: answers.pop(0))
    with absltest.mock.patch.object(actor, "_FULL_SECONDS", 0.001):
      actor.Sender(fakes.Peer(store), 10.0)(b"x")
      self.assertEmpty(answers)
      store.insert_encoded = lambda data: False
      with self.assertRaisesRegex(TimeoutError, "took no unroll for 0.01 s"):
        actor.Sender(fakes.Peer(store), 0.01)(b"x")


if __name__ == "__main__":
  absltest.main()
