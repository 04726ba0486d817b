"""Makes a run's components from its config. It knows the pieces; launchers
know how they are wired.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from adaland.agent import acting, types
from adaland.agent.network import network as network_lib
from adaland.agent.replay import base as replay_base
from adaland.agent.replay import spec as spec_lib
from adaland.curriculum import base as curriculum_base
from adaland.curriculum import factory
from adaland.envs import land
from adaland.envs.sampling import sampler
from adaland.envs.stepping import task_rows
from adaland.envs.tasks import task as task_lib
from adaland.launch import errors
from adaland.launch.acting import actor_loop as actor_loop_lib
from adaland.launch.acting import actor_threads, unrolls
from adaland.launch.acting import channel as channel_lib
from adaland.launch.acting import inference as inference_lib
from adaland.launch.config import experiment
from adaland.launch.runtimes.single import actor as player_lib

if TYPE_CHECKING:
  from adaland.agent import learner as learner_lib


class Agent(NamedTuple):
  """What acts.

  Attributes:
    network: Its pure functions.
    actor: Its acting functions.
    observation_spec: What it sees, without batch.
  """

  network: network_lib.Network
  actor: acting.Actor
  observation_spec: dict[str, tuple[tuple[int, ...], Any]]


def agent(config: experiment.ExperimentConfig) -> Agent:
  """Makes the agent's functions."""
  spec = land.observation_spec(config.env)
  network = network_lib.make_network(config.network, spec)
  actor = acting.make_actor(
    network, config.network.action_sizes, config.learner.muesli.value_range
  )
  return Agent(network, actor, spec)


def learner(
  config: experiment.ExperimentConfig,
  network: network_lib.Network,
  devices: Sequence[jax.Device] | None = None,
) -> "learner_lib.Learner":
  """Makes the learner's functions; on all devices if none are named."""
  # Imported where used: most processes of a run never learn, and it brings
  # half a second of other packages.
  from adaland.agent import learner as learner_lib

  return learner_lib.make_learner(
    network, config.learner, config.network.action_sizes, devices
  )


def cutter(
  config: experiment.ExperimentConfig, made: Agent, num_envs: int
) -> unrolls.UnrollCutter:
  """Makes what cuts the steps of a batch of environments into unrolls."""
  sizes = config.network.action_sizes
  return unrolls.UnrollCutter(
    num_envs=num_envs,
    length=config.actor.unroll_length,
    observation_spec=made.observation_spec,
    num_heads=len(sizes),
    num_logits=sum(sizes),
    store_memory=not config.whole_episodes,
  )


def unroll_spec(
  config: experiment.ExperimentConfig, made: Agent
) -> spec_lib.UnrollSpec:
  """What one unroll of this run looks like."""
  memory = {}
  if not config.whole_episodes:
    shapes = jax.eval_shape(lambda: made.network.initial_memory(1))
    memory = jax.tree.map(lambda x: np.zeros(x.shape[1:], x.dtype), shapes)
  example = cutter(config, made, 1).example(memory)
  return spec_lib.UnrollSpec.from_unroll(example)


def batch_template(
  config: experiment.ExperimentConfig, spec: spec_lib.UnrollSpec
) -> types.Unroll:
  """A learner batch of zeros."""
  n = config.replay.batch_size
  return spec.unflatten(
    [np.zeros((n, *c.shape), c.wire_dtype) for c in spec.columns]
  )


def checkpoint_template(
  config: experiment.ExperimentConfig, state: Any, spec: spec_lib.UnrollSpec
) -> dict[str, Any]:
  """Structure, shapes and dtypes of a checkpoint's arrays.

  Args:
    config: The run's config.
    state: The learner's state, or its shapes.
    spec: Of the run's unrolls.
  """
  return {
    "train": jax.eval_shape(lambda x: x, state),
    "batch": batch_template(config, spec),
  }


def environment(
  config: experiment.ExperimentConfig,
  num_envs: int,
  seed: int,
  next_task: Callable[[int], task_lib.Task | task_rows.Prepared],
) -> land.Land:
  """Makes a batch of environments.

  Raises:
    UserError: If this machine can't have them.
  """
  with errors.user_input("env"):
    return land.Land(num_envs, config.env, next_task, seed)


def actor_loop(
  config: experiment.ExperimentConfig,
  made: Agent,
  channel: channel_lib.Channel,
  writer: replay_base.ReplayWriter,
  seed: np.random.SeedSequence,
  seat: inference_lib.Seat | None = None,
) -> actor_loop_lib.ActorLoop:
  """Makes environments and what steps them.

  Args:
    config: The run's config.
    made: Its agent.
    channel: Where tasks and parameters come from and records go.
    writer: Where unrolls go.
    seed: Of its environments and actions.
    seat: Acts in them; None: the network runs for them alone.
  """
  num_envs = config.actor.envs_per_actor
  if seat is None:
    (seat,) = _batch(config, made, channel, 1).seats
  return actor_loop_lib.ActorLoop(
    make_environment=lambda next_task: environment(
      config, num_envs, int(seed.generate_state(1)[0] >> 1), next_task
    ),
    inference=seat,
    cutter=cutter(config, made, num_envs),
    num_envs=num_envs,
    gamma=config.learner.muesli.gamma,
    channel=channel,
    writer=writer,
    seed=seed.spawn(1)[0],
  )


def actor(
  config: experiment.ExperimentConfig,
  made: Agent,
  channel: channel_lib.Channel,
  make_writer: Callable[[], replay_base.ReplayWriter],
  seed: np.random.SeedSequence,
) -> actor_threads.ActorThreads:
  """Makes an actor: a loop in each of its threads.

  Args:
    config: The run's config.
    made: Its agent.
    channel: Where tasks and parameters come from and records go; used by all
      threads.
    make_writer: Makes what a thread's unrolls go to.
    seed: Of its environments and actions.

  Raises:
    UserError: If this machine lacks the device that the network runs on.
  """
  num_threads = config.actor.num_threads
  seeds = seed.spawn(num_threads)
  return actor_threads.ActorThreads(
    _batch(config, made, channel, num_threads),
    lambda index, seat: actor_loop(
      config, made, channel, make_writer(), seeds[index], seat
    ),
  )


def _batch(
  config: experiment.ExperimentConfig,
  made: Agent,
  channel: channel_lib.Channel,
  num_threads: int,
) -> inference_lib.Batch:
  return inference_lib.Batch(
    made.actor,
    channel,
    num_threads,
    config.actor.envs_per_actor,
    inference_lib.device(config.actor.inference),
  )


def curriculum(
  config: experiment.ExperimentConfig, by_index: bool = False
) -> curriculum_base.Curriculum:
  """Makes the curriculum over the training half of the tasks.

  Args:
    config: The run's config.
    by_index: Whether what it assigns are indices of tasks, to be drawn later.
  """
  draw = sampler.TaskSampler(config.tasks).task
  return factory.make_curriculum(
    config.curriculum, (lambda i: i) if by_index else draw, config.run.seed
  )


def player(
  config: experiment.ExperimentConfig,
  made: Agent,
  desk: player_lib.Desk,
  emit: Callable[[types.Unroll, int], None],
) -> player_lib.Player:
  """Makes what acts where one process does it all: its environments too.

  Args:
    config: The run's config.
    made: Its agent.
    desk: Where tasks come from and records go.
    emit: Where unrolls go.
  """
  num_envs, seed = config.actor.envs_per_actor, config.run.seed
  # Far from the environments' seeds of other runs.
  first_seed = int(np.random.SeedSequence((seed, 0)).generate_state(1)[0] >> 1)
  return player_lib.Player(
    make_environment=lambda next_task: environment(
      config, num_envs, first_seed, next_task
    ),
    actor=made.actor,
    observation_spec=made.observation_spec,
    action_sizes=config.network.action_sizes,
    num_envs=num_envs,
    length=config.actor.unroll_length,
    gamma=config.learner.muesli.gamma,
    store_memory=not config.whole_episodes,
    desk=desk,
    emit=emit,
    seed=seed,
    device=jax.local_devices()[0],
  )
