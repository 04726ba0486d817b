"""A trained agent whose beliefs and attention can be observed.

It takes the same actions as `policies.Agent` with the same seed.
"""

import functools
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from adaland.agent import distributions, types
from adaland.agent.memory import looks
from adaland.agent.muesli import categorical
from adaland.agent.network import recall
from adaland.agent.privileged import belief
from adaland.envs import land
from adaland.envs.tasks import arrays
from adaland.envs.tasks.task import Task
from adaland.launch import builder
from adaland.launch.evaluation import trained_agent


class Thought(NamedTuple):
  """A step of an agent's thinking.

  Attributes:
    value: The discounted reward that the agent expects, seconds; None if it
      never learned values.
    belief: Probabilities that each type of object is needed by a rule that
      leads to the goal, and by another rule, float [2, types]; None without a
      belief.
    gaze: Weights of the memory's attention to the entities in view, float [E];
      None with pixels.
    past: Attention of each layer of the memory to past steps, averaged over
      heads, float [n], by number of steps ago; empty if the memory has none.
  """

  value: float | None
  belief: np.ndarray | None
  gaze: np.ndarray | None
  past: tuple[np.ndarray, ...]


class Mind:
  """An agent in one environment.

  Attributes:
    thought: The agent's thought at the last step.
  """

  def __init__(self, agent: trained_agent.SavedAgent, seed: int):
    made = builder.agent(agent.config)
    self.thought: Thought | None = None
    self._params = agent.params
    self._memory = made.network.initial_memory(1)
    self._rng = np.random.Generator(np.random.PCG64(seed))
    self._knows_values = agent.config.learner.learns_values
    self._step = _step(
      made.network,
      agent.config.network.action_sizes,
      agent.config.network.num_heads,
      agent.config.learner.muesli.value_range,
    )

  def act(self, step: land.Step) -> np.ndarray:
    """Returns the agent's action, [1, A]."""
    key = self._rng.integers(2**32, size=2, dtype=np.uint32)
    action, thought, self._memory = self._step(
      self._params, self._memory, step.observation, step.first, key
    )
    value, beliefs, gaze, seen = jax.tree.map(
      lambda x: np.asarray(x)[0], thought
    )
    self.thought = Thought(
      float(value) if self._knows_values else None,
      beliefs.reshape(belief.NUM_KINDS, -1) if beliefs.size else None,
      gaze if gaze.size else None,
      tuple(_by_distance(*look) for look in seen),
    )
    return np.asarray(action)


@functools.lru_cache(4)
def _step(
  network: types.Network,
  sizes: tuple[int, ...],
  num_heads: int,
  value_range: float,
) -> Any:
  """Returns the jitted function of a step, made once per network."""

  @jax.jit
  def step(params, memory, observation, first, key):
    entities: list[jax.Array] = []
    with (
      hk.intercept_methods(functools.partial(_listen, entities, num_heads)),
      looks.listening() as seen,
    ):
      output, memory = network.step(params, memory, observation, first)
    logits = jnp.asarray(output.policy_logits, jnp.float32)
    action = distributions.sample(key, logits, sizes)
    beliefs = jax.nn.sigmoid(output.belief_logits)
    value = categorical.decode(output.value_logits, value_range)
    gaze = entities[0] if entities else jnp.zeros([1, 0])
    past = [(jnp.mean(look.weights, axis=1), look.distance) for look in seen]
    return action, (value, beliefs, gaze, past), memory

  return step


def _by_distance(weights: np.ndarray, distance: np.ndarray) -> np.ndarray:
  """Returns the weight of each number of steps ago, float [n].

  Args:
    weights: Weight of each position, [S].
    distance: Number of steps since each position, int [S].
  """
  seen = weights > 0
  return np.bincount(distance[seen], weights[seen])


def _listen(
  gazes: list[jax.Array], num_heads: int, call, args, kwargs, context
) -> Any:
  """Calls a module's method; keeps the weights of `recall.Recall`.

  Args:
    gazes: Receives the weights, averaged over heads, [B, E].
    num_heads: Number of heads.
    call: The method.
    args, kwargs: The method's arguments.
    context: The module and the method's name, as Haiku passes them.
  """
  if not isinstance(context.module, recall.Recall):
    return call(*args, **kwargs)
  if context.method_name != "__call__":
    return call(*args, **kwargs)
  heard: dict[str, jax.Array] = {}

  def hear(inner, inner_args, inner_kwargs, inner_context):
    result = inner(*inner_args, **inner_kwargs)
    if inner_context.method_name == "__call__":
      heard[inner_context.module.name] = result
    return result

  with hk.intercept_methods(hear):
    result = call(*args, **kwargs)
  visible = args[2]
  gazes.append(_weights(heard["query"], heard["keys"], visible, num_heads))
  return result


def _weights(
  query: jax.Array, keys: jax.Array, visible: jax.Array, num_heads: int
) -> jax.Array:
  """Returns each entity's share of attention, averaged over heads, [B, E].

  Args:
    query: The memory's query [B, H * K].
    keys: Keys of the entities [B, E, H * K].
    visible: 1 for entities in view, else 0 [B, E].
    num_heads: H.
  """
  products = (query[:, None] * keys).astype(jnp.float32)
  heads = products.reshape(*products.shape[:2], num_heads, -1)
  logits = jnp.sum(heads, axis=-1) * heads.shape[-1] ** -0.5  # [B, E, H]
  seen = visible[:, :, None]
  weights = jax.nn.softmax(jnp.where(seen > 0, logits, -1e30), axis=1)
  return jnp.mean(weights * seen, axis=-1)


def truth(agent: trained_agent.SavedAgent, task: Task) -> np.ndarray | None:
  """Returns the correct belief; None for an agent without a belief."""
  if not agent.config.network.belief:
    return None
  network = builder.agent(agent.config).network
  found = arrays.to_arrays(task)
  told = network.truth(found.goal[:1], found.rules[None])
  return np.asarray(told[0]).reshape(belief.NUM_KINDS, -1)


def types_of(task: Task, reveal: bool) -> list[int]:
  """Returns ids of the object types that a viewer may know of.

  Args:
    task: The task.
    reveal: True to include those of its rules, which may be hidden.
  """
  kinds = {spec.type for spec in task.objects}
  if reveal:
    for rule in task.rules:
      kinds |= {*rule.condition.object_types, *rule.spawns}
  return sorted(kind.type_id for kind in kinds)
