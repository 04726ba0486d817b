"""A check that an unroll is one actor's episode, whole and in order."""

import numpy as np

from adaland.agent import types
from adaland.envs import constants


def check_episode(unroll: types.Unroll, newest_version: int) -> None:
  """Raises AssertionError unless an unroll is a whole episode of our agent.

  An observation shows the previous action and reward, so steps of two episodes,
  or of two actors, do not fit together.

  Args:
    unroll: An unroll from a run whose unrolls are episodes, leaves [T, ...].
    newest_version: Version of the newest parameters.
  """
  length = int(unroll.mask.sum())
  seen = {
    name: np.asarray(unroll.observation[name])[:length]
    for name in ("last_action", "last_reward")
  }
  action = np.asarray(unroll.action)[:length]
  reward = np.asarray(unroll.reward)[:length]
  _require(length > 1, "it is empty")
  _require(bool(np.all(np.asarray(unroll.mask)[:length] == 1)), "it has holes")
  first = np.asarray(unroll.first)[:length]
  _require(first[0] == 1 and not first[1:].any(), "it is not one episode")
  discount = np.asarray(unroll.discount)[:length]
  ends = np.flatnonzero(discount == 0).tolist()
  _require(ends == [length - 1], "it does not end where it ends")
  sizes = np.array(constants.ACTION_SIZES)
  _require(bool(((action >= 0) & (action < sizes)).all()), "impossible actions")
  _require(bool((seen["last_action"][0] == -1).all()), "acted before its start")
  _require(
    bool((seen["last_action"][1:] == action[:-1]).all()),
    "actions of another episode",
  )
  _require(
    bool(np.allclose(seen["last_reward"][1:], reward[:-1], atol=1e-6)),
    "rewards of another episode",
  )
  _require(
    bool(np.isfinite(unroll.behaviour_logits).all()),
    "its logits are not finite",
  )
  _require(
    0 <= int(unroll.params_version) <= newest_version,
    f"it was played by parameters {unroll.params_version}",
  )


def _require(ok: bool, fault: str) -> None:
  if not ok:
    raise AssertionError(f"an unroll is wrong: {fault}")
