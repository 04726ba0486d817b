"""A test case that makes actors, on a counting environment."""

import jax
import numpy as np
from absl.testing import parameterized

from adaland.launch.acting import (
  actor,
  coplaying,
  cutting,
)
from tests.launch.acting import fakes

NUM_ENVS = 3


class ActorCase(parameterized.TestCase):
  """Test case that makes actors."""

  def make(
    self,
    length,
    store_memory=False,
    on_device=False,
    num_envs=NUM_ENVS,
    next_task=None,
    make_environment=None,
    pool=(),
    rules=None,
    functions=fakes.FUNCTIONS,
    seed=0,
  ):
    """Makes an actor; `self.unrolls` and `self.records` get its output."""
    self.unrolls, self.records = [], []
    num_players, device = (2 if pool else 1), jax.local_devices()[0]
    seats = None
    if pool:
      seats = coplaying.CoplayerSeats(
        fakes.FUNCTIONS,
        lambda number: fakes.PARAMS,
        num_envs,
        pool_size=1,
        action_sizes=fakes.SIZES,
        seed=0,
        device=device,
      )
    return actor.Actor(
      make_environment=make_environment
      or (
        lambda row_task: fakes.CountingEnvironment(
          num_envs, row_task, on_device, num_players
        )
      ),
      functions=functions,
      observation_spec=fakes.SPEC,
      action_sizes=fakes.SIZES,
      num_envs=num_envs,
      length=length,
      gamma=fakes.GAMMA,
      store_memory=store_memory,
      next_task=next_task or fakes.Assignments(pool).next_task,
      report=self.records.append,
      emit=lambda unrolls, num: self.unrolls.extend(
        cutting.to_host(unrolls, num)
      ),
      seed=seed,
      device=device,
      num_players=num_players,
      seats=seats,
      rules=rules,
    )

  def assert_equal(self, unrolls, expected):
    self.assertLen(unrolls, len(expected))
    for mine, wanted in zip(unrolls, expected, strict=True):
      leaves = jax.tree_util.tree_leaves_with_path(wanted)
      for (path, x), y in zip(leaves, jax.tree.leaves(mine), strict=True):
        name = jax.tree_util.keystr(path)
        np.testing.assert_array_equal(y, x, err_msg=name)
        self.assertEqual(y.dtype, x.dtype, name)
