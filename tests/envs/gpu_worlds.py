"""Environments on the gpu back end, on worlds that tests lend."""

import dataclasses
from unittest import mock

from adaland.envs import land
from tests.envs import fixtures
from tests.envs.physics import backends


def lent(test):
  """Returns a context in which `Land` takes lent worlds as its physics."""

  def make(backend, num_envs, num_slots, num_players, num_threads, device):
    test.assertEqual((backend, device), ("gpu", "cpu"))
    return backends.lend(test, num_envs, num_slots, num_players)

  return mock.patch("adaland.envs.physics.backends.make", make)


def make_land(test, *tasks, config=fixtures.CONFIG, seed=0) -> land.Land:
  """Makes environments as `fixtures.make_land` does, on lent worlds."""
  config = dataclasses.replace(config, backend="gpu", device="cpu")
  with lent(test):
    return fixtures.make_land(*tasks, config=config, seed=seed)
