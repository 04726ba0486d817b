"""Tests of learner_thread with a learner that only adds."""

import types
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent.replay.config import ReplayConfig
from adaland.agent.replay.spec import UnrollSpec
from adaland.launch.runtimes.single import learner_thread
from tests.agent.replay import examples

_SPEC = UnrollSpec.from_unroll(examples.unroll())
_QUEUE = ReplayConfig(sampling="queue", capacity=8, batch_size=2)


class State(NamedTuple):
  """A learner's state: the sum of the numbers of all unrolls learned from."""

  target_params: Any


@jax.jit
def _update(state, batch, progress):
  total = state.target_params + jnp.sum(batch.params_version)
  return State(total), {"loss/total": total}


def _batch(*numbers):
  unrolls = [examples.unroll(number) for number in numbers]
  return jax.tree.map(lambda *x: np.stack(x), *unrolls)


class LearnerThreadTest(absltest.TestCase):
  def make(self, config=_QUEUE, update=_update):
    learner: Any = types.SimpleNamespace(update=update)
    state: Any = State(jnp.zeros([], jnp.int32))
    made = learner_thread.LearnerThread(
      learner,
      config,
      _SPEC,
      state,
      0,
      jax.local_devices()[0],
    )
    self.addCleanup(made.close)
    return made

  def test_learns_when_due_and_acts_with_the_parameters_before(self):
    made = self.make()
    self.assertEqual(made.learn(), 0)
    made.insert(_batch(1, 2, 3, 99), 3)  # The last does not count.
    self.assertEqual(made.learn(), 1)
    self.assertEqual((made.updates, made.version), (1, 0))
    self.assertEqual(int(made.acting_params), 0)
    made.insert(_batch(4, 5, 6, 7), 4)
    self.assertEqual(made.learn(), 2)
    self.assertEqual((made.updates, made.version), (3, 1))
    self.assertEqual(int(made.acting_params), 1 + 2)
    self.assertEqual(int(made.params), 1 + 2 + 3 + 4 + 5 + 6)
    updates = made.take_updates()
    self.assertEqual(
      [int(u.values["loss/total"]) for u in updates], [3, 10, 21]
    )
    self.assertEqual([int(u.steps) for u in updates], [10, 10, 10])
    # Updates before each batch, minus the mean number of its unrolls.
    self.assertEqual([float(u.lag) for u in updates], [-1.5, 1 - 3.5, 2 - 5.5])
    self.assertEmpty(made.take_updates())

  def test_a_restored_learner_learns_like_the_saved_one(self):
    config = ReplayConfig(samples_per_insert=2.0, capacity=3, batch_size=2)
    made = self.make(config)
    made.insert(_batch(1, 2), 2)
    made.learn()
    again = self.make(config)
    again.load_state_dict(jax.device_get(made.arrays), made.state_dict())
    for each in (made, again):
      each.insert(_batch(3, 4), 2)
      self.assertEqual(each.learn(), 2)
    self.assertEqual(int(again.acting_params), int(made.acting_params))
    self.assertEqual(int(again.params), int(made.params))
    self.assertEqual(again.state_dict(), made.state_dict())

  def test_an_error_in_the_thread_is_raised_by_the_next_call(self):
    def fail(state, batch, progress):
      raise ValueError("no update")

    made = self.make(update=fail)
    made.insert(_batch(1, 2), 2)
    made.learn()
    made.insert(_batch(3, 4), 2)
    with self.assertRaisesRegex(ValueError, "no update"):
      made.learn()


if __name__ == "__main__":
  absltest.main()
