"""Tasks small enough to be learned within a test, and a training loop.

Both tasks give the observations that `adaland.agent.network` needs, without any
entities. The loop plays whole episodes with the target network, makes one batch
of them, and learns from it once.
"""

from typing import NamedTuple

import jax
import numpy as np

from adaland.agent import acting, learner_config, types
from adaland.agent.config import NetworkConfig
from adaland.agent.learner import TrainState, make_learner
from adaland.agent.network import network

Arrays = dict[str, np.ndarray]

SIZES = (2, 3)
SPEC = {
  "goal": ((6,), np.dtype(np.int32)),
  "rules": ((1, 14), np.dtype(np.int32)),
  "last_action": ((len(SIZES),), np.dtype(np.int32)),
  "last_reward": ((), np.dtype(np.float32)),
  "clock": ((10,), np.dtype(np.float32)),
}


class Bandit:
  """Two arms, one of which pays; which one is drawn for each episode.

  A trial is two steps: pull an arm (the first head), then see what it paid.
  When pulling, neither the last action nor the last reward is shown, so only a
  memory can know what earlier pulls showed.
  """

  def __init__(self, num_envs: int, num_trials: int, seed: int):
    self.num_steps = 2 * num_trials
    self._num_envs = num_envs
    self._rng = np.random.default_rng(seed)

  def reset(self) -> Arrays:
    self._arm = self._rng.integers(2, size=self._num_envs)
    self._time = 0
    return _observe(self._num_envs, self._time % 2)

  def step(self, action: np.ndarray) -> tuple[Arrays, np.ndarray]:
    pull = self._time % 2 == 0
    reward = (action[:, 0] == self._arm) * np.float32(pull)
    self._time += 1
    observation = _observe(self._num_envs, self._time % 2)
    if pull:
      observation["last_action"] = action.astype(np.int32)
      observation["last_reward"] = reward
    return observation, reward


class Delay:
  """A cue tells the right pair of actions; the reward comes five steps later.

  The actions in between mean nothing.
  """

  num_steps = 6

  def __init__(self, num_envs: int, seed: int):
    self._num_envs = num_envs
    self._rng = np.random.default_rng(seed)

  def reset(self) -> Arrays:
    self._cue = self._rng.integers(SIZES, size=(self._num_envs, 2))
    self._time = 0
    observation = _observe(self._num_envs, self._time)
    rows = np.arange(self._num_envs)
    observation["clock"][rows, 6 + self._cue[:, 0]] = 1.0
    observation["clock"][:, 8] = self._cue[:, 1] - 1.0
    return observation

  def step(self, action: np.ndarray) -> tuple[Arrays, np.ndarray]:
    if self._time == 0:
      self._right = (action == self._cue).all(axis=1)
    self._time += 1
    paid = self._right * np.float32(self._time == self.num_steps)
    observation = _observe(self._num_envs, self._time)
    observation["last_action"] = action.astype(np.int32)
    return observation, paid.astype(np.float32)


def _observe(num_envs: int, time: int) -> Arrays:
  observation = {
    name: np.zeros((num_envs, *shape), dtype)
    for name, (shape, dtype) in SPEC.items()
  }
  observation["last_action"] -= 1
  observation["clock"][:, time % 6] = 1.0
  return observation


def network_of(memory: str) -> types.Network:
  """Makes a small real network."""
  config = NetworkConfig(
    memory=memory,
    d_model=32,
    num_layers=1,
    num_heads=2,
    key_size=16,
    feed_forward_size=64,
    memory_length=32,
    goal_sizes=(16,),
    rules_sizes=(16,),
    encoder_hidden=(32,),
    head_size=32,
    model_size=32,
    num_bins=21,
    action_sizes=SIZES,
  )
  return network.make_network(config, SPEC)


def play(
  env: Bandit | Delay,
  actor: acting.ActorCore,
  params: types.Params,
  rng_key: jax.Array,
) -> types.Unroll:
  """Plays one episode in each environment."""
  observation = env.reset()
  num_envs = len(observation["last_reward"])
  state = actor.init(num_envs)
  steps = []
  keys = jax.device_get(jax.random.split(rng_key, env.num_steps))
  for t, key in enumerate(keys):
    first = np.full([num_envs], t == 0, np.uint8)
    output, state = actor.act(params, state, observation, first, key)
    action = np.asarray(output.action)
    next_observation, reward = env.step(action)
    steps.append(
      types.Unroll(
        observation=dict(observation),
        first=first,
        action=action.astype(np.int8),
        behaviour_logits=np.asarray(output.behaviour_logits),
        reward=reward,
        discount=np.full([num_envs], t < env.num_steps - 1, np.float32),
        mask=np.ones([num_envs], np.uint8),
        initial_memory={},
        params_version=np.zeros([num_envs], np.int64),
        privileged={},
      )
    )
    observation = next_observation
  batch = jax.tree_util.tree_map(lambda *x: np.stack(x, axis=1), *steps)
  for name in types.EPISODE_OBSERVATIONS:
    batch.observation[name] = batch.observation[name][:, 0]
  return batch._replace(params_version=np.zeros([num_envs], np.int64))


class Outcome(NamedTuple):
  rewards: np.ndarray  # [updates, T], mean over environments.
  state: TrainState
  metrics: list[dict[str, float]]


def train(
  env: Bandit | Delay,
  agent: types.Network,
  config: learner_config.LearnerConfig,
  updates: int,
  seed: int,
) -> Outcome:
  """Plays and learns in turn."""
  learner = make_learner(agent, config, SIZES)
  actor = acting.make_actor_core(agent, SIZES, config.muesli.value_range)
  state = learner.init(jax.random.PRNGKey(seed))
  rng_key = jax.random.PRNGKey(seed + 1)
  rewards, metrics = [], []
  for _ in range(updates):
    rng_key, key = jax.random.split(rng_key)
    batch = play(env, actor, state.target_params, key)
    rewards.append(batch.reward.mean(axis=0))
    state, scalars = learner.update(state, batch)
    metrics.append({name: float(x) for name, x in scalars.items()})
  return Outcome(np.stack(rewards), state, metrics)
