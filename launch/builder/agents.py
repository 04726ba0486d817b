"""The agent of a run, its learner, and the parameters that they start from."""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from adaland.agent import acting, sizes, types
from adaland.agent.config import NetworkConfig
from adaland.agent.learner_config import LearnerConfig, ProxyConfig
from adaland.agent.network import pair_memory
from adaland.agent.network.network import make_network
from adaland.envs import land, land_types
from adaland.launch import errors
from adaland.launch.agents import saved_agent
from adaland.launch.config import experiment
from adaland.launch.recipes import extensions

if TYPE_CHECKING:
  from adaland.agent.learner import Learner


# Number of agents, and of learners, that a process keeps.
_MAX_KEPT = 4


class Agent(NamedTuple):
  """The functions of a run's agent.

  Attributes:
    network: Pure functions of the network.
    actor: Acting functions.
    observation_spec: Shape and dtype of each observation, without batch.
  """

  network: types.Network
  actor: acting.ActorCore
  observation_spec: dict[str, tuple[tuple[int, ...], Any]]


def agent(config: experiment.ExperimentConfig) -> Agent:
  """Makes the agent's functions.

  Equal configs get the same functions, which JAX traces and compiles once in a
  process, however often a program trains and evaluates.
  """
  return _agent(
    config.network,
    config.env,
    config.learner.muesli.value_range,
    extensions.find(config, "memory"),
  )


@functools.lru_cache(_MAX_KEPT)
def _agent(
  network_config: NetworkConfig,
  env_config: land_types.LandConfig,
  value_range: float,
  memory: Callable[..., Any] | None,
) -> Agent:
  spec = land.observation_spec(env_config)
  network = make_network(network_config, spec, memory)
  actor = acting.make_actor_core(
    network, network_config.action_sizes, value_range
  )
  return Agent(network, actor, spec)


def learner(
  config: experiment.ExperimentConfig,
  network: types.Network,
  devices: Sequence[jax.Device] | None = None,
) -> "Learner":
  """Makes the learner's functions; on all devices if none are named.

  As with `agent`, the same arguments get the same functions.
  """
  return _learner(
    network,
    config.learner,
    config.network.action_sizes,
    tuple(jax.devices() if devices is None else devices),
    _proxy(config.learner.proxy, config.network, config.env),
  )


@functools.lru_cache(_MAX_KEPT)
def _proxy(
  proxy_config: ProxyConfig,
  network_config: NetworkConfig,
  env_config: land_types.LandConfig,
) -> types.Network | None:
  """Makes the network of the small agent that chooses unrolls, if any."""
  if not proxy_config.used:
    return None
  small = sizes.small_config(
    network_config, proxy_config.width, proxy_config.num_layers
  )
  return make_network(small, land.observation_spec(env_config))


@functools.lru_cache(_MAX_KEPT)
def _learner(
  network: types.Network,
  learner_config: LearnerConfig,
  action_sizes: tuple[int, ...],
  devices: tuple[jax.Device, ...],
  proxy: types.Network | None,
) -> "Learner":
  # Imported where used: most processes of a run never learn, and it imports
  # other packages, which takes half a second.
  from adaland.agent.learner import make_learner

  return make_learner(network, learner_config, action_sizes, devices, proxy)


def first_state(
  config: experiment.ExperimentConfig,
  made: Agent,
  learns: "Learner",
  resumes: bool = False,
) -> Any:
  """Returns the learner's state before a run's first update.

  Args:
    config: The run's config.
    made: The agent.
    learns: The learner's functions.
    resumes: True if a checkpoint replaces the state, so that the agent from
      which the run started is no longer needed.

  Raises:
    UserError: If the run can't start from the agent that its config names.
  """
  state = learns.init(jax.random.PRNGKey(config.run.seed))
  if resumes or not config.run.start_from:
    return state
  params = starting_params(config, made)
  return learns.load(state._replace(params=params, target_params=params))


def _other_agent(
  config: experiment.ExperimentConfig, name: str
) -> saved_agent.SavedAgent:
  """Reads an agent that a run's config names.

  Of its own parts only a memory is imported, which must be this run's.

  Args:
    config: The run's config.
    name: As in `saved_agent.workdir_of`.

  Raises:
    UserError: If there is no such agent, it is broken, or has its own
      memory that is not this run's.
  """
  workdir = saved_agent.workdir_of(name)
  try:
    own = saved_agent.load_config(workdir, own_parts=True).factories.memory
    ours = config.factories.memory
    if own and own != ours:
      raise errors.UserError(
        f"has the memory {own}, allowed: this run's own "
        f"({ours or 'it has none'}), or one of the platform's"
      )
    return saved_agent.load(workdir, True, agent, learner)
  except errors.ArgumentError as error:
    # The user has named the agent in a setting, not by a workdir.
    text = str(error).removeprefix(f"workdir={workdir}: ")
    raise errors.UserError(text) from error


def starting_params(
  config: experiment.ExperimentConfig, made: Agent
) -> types.Params:
  """Reads the parameters from which a run starts.

  Args:
    config: The run's config, which names an agent.
    made: The run's own agent.

  Raises:
    UserError: As `_params_of`.
  """
  with errors.user_input(f"run.start_from={config.run.start_from}"):
    return _params_of(config, made, config.run.start_from)


def averaged_params(
  saved: saved_agent.SavedAgent, names: Sequence[str]
) -> types.Params:
  """Returns the mean of an agent's parameters and those of other agents.

  Agents that were trained one from the other often lie in one basin of the
  loss, and their mean does what each of them does well (arXiv 2109.01903,
  arXiv 2203.05482).

  Args:
    saved: The agent.
    names: The other agents, each as in `saved_agent.workdir_of`.

  Raises:
    UserError: As `_params_of`.
  """
  made, all_params = agent(saved.config), [saved.params]
  for name in names:
    with errors.user_input(f"--average={name}"):
      all_params.append(_params_of(saved.config, made, name))
  return jax.tree.map(lambda *x: sum(x) / len(x), *all_params)


def _params_of(
  config: experiment.ExperimentConfig, made: Agent, name: str
) -> types.Params:
  """Reads another agent's parameters, for this run's network.

  If only the run has a pair memory, its parameters are zeros, with which the
  agent plays as before.

  Args:
    config: The run's config.
    made: The run's own agent.
    name: The other agent, as in `saved_agent.workdir_of`.

  Raises:
    UserError: If there is no such agent, it is broken, or it has another
      network structure or other value bins.
  """
  saved = _other_agent(config, name)
  shapes = jax.eval_shape(made.network.init, jax.random.PRNGKey(0))
  params = saved.params
  if config.network.pair_memory and not saved.config.network.pair_memory:
    params = pair_memory.with_zeros(params, shapes)
  saved_agent.check_start(params, shapes)
  saved_agent.check_bins(saved.config, config)
  return params


def teacher(config: experiment.ExperimentConfig) -> saved_agent.SavedAgent:
  """Reads the agent that teaches.

  Args:
    config: The run's config, which names this agent.

  Raises:
    UserError: If there is no such agent, it is broken, or has other heads or
      observations than this run.
  """
  with errors.user_input(f"teaching.teacher={config.teaching.teacher}"):
    saved = _other_agent(config, config.teaching.agent)
    saved_agent.check_teacher(saved.config, config)
  return saved
