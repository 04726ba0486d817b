"""Speed of pictures on the gpu back end."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants
from adaland.envs.observations import vision
from adaland.envs.physics.gpu.physics import GpuPhysics
from adaland.envs.worlds import scene
from adaland.launch import errors
from adaland.launch.bench import env, env_gpu
from adaland.launch.bench.lib import hardware, timing
from adaland.launch.config import experiment
from adaland.launch.recipes import task_source

_TASKS = 256  # Number of tasks; further worlds repeat them.


def pictures(
  config: experiment.ExperimentConfig, num_envs: int, seconds: float
) -> dict[str, float]:
  """Measures frames per second at several sizes, at a trial's start.

  `vision_SIZE` stands for whole pictures, that is rays and the colours of the
  surfaces that they hit; `vision_SIZE_rays` for the rays alone, of the same
  worlds and views.

  Args:
    config: Config of the environments and their tasks.
    num_envs: Number of environments.
    seconds: Length of each measurement.
  """
  physics, types = _worlds(config, num_envs)
  result = {"vision_num_envs_count": float(num_envs)}
  for size in env.VISION_SIZES:
    name = f"vision_{size[0]}x{size[1]}"
    works = {name: _drawing(physics, types, size, colours=True)}
    works[f"{name}_rays"] = _drawing(physics, types, size, colours=False)
    rates = dict(
      zip(works, timing.rates(list(works.values()), seconds), strict=True)
    )
    for work, rate in rates.items():
      result[f"{work}_frames_per_s"] = rate * num_envs
      result[f"{work}_ms"] = 1e3 / rate
    result[f"{name}_ratio"] = rates[name] / rates[f"{name}_rays"]
  used = hardware.memory(physics.device)
  return result | {f"vision_{key}": value for key, value in used.items()}


def _worlds(
  config: experiment.ExperimentConfig, num_envs: int
) -> tuple[GpuPhysics, jax.Array]:
  """Returns worlds of generated tasks, and their nodes' types, int32 [N, M]."""
  slots, players = config.env.num_slots, config.env.num_players
  draw = task_source.TaskSource(config).task
  scenes = [
    scene.build_scene(draw(i), slots, players)
    for i in range(min(num_envs, _TASKS))
  ]
  scenes = [scenes[i % len(scenes)] for i in range(num_envs)]
  with errors.user_input("env"):
    physics = GpuPhysics(num_envs, slots, players, config.env.device)
  everywhere = np.arange(num_envs)
  physics.load(everywhere, scenes)
  yaw = np.random.default_rng(0).uniform(-np.pi, np.pi, (num_envs, players))
  physics.restore(everywhere, yaw.astype(np.float32))
  avatars = np.asarray(constants.PLAYER_TYPE_IDS[:players])
  types = [[*avatars, *world.slot_types] for world in scenes]
  return physics, jnp.asarray(types, jnp.int32)


@jax.jit
def _shade(origins, directions, hits, types):
  distance, node, normal = hits
  shade = jax.vmap(vision.shade, in_axes=(0, 0, 0, 0, 0, 0, None))
  looks = vision.look(0)
  return shade(origins, directions, distance, node, normal, types, looks)


def _drawing(
  physics: GpuPhysics,
  types: jax.Array,
  size: tuple[int, int],
  colours: bool,
) -> Callable[[], None]:
  rays: Any = env_gpu.picture_rays(physics, size)

  def draw() -> None:
    hits = physics.rays(*rays, normals=True)
    shown = _shade(*rays[:2], tuple(hits), types) if colours else hits
    jax.block_until_ready(shown)

  return draw


def kernels(config: experiment.ExperimentConfig) -> dict[str, float]:
  """Measures the time to compile all kernels, or to load cached ones."""
  start = time.perf_counter()
  physics, _ = _worlds(config, 2)
  physics.simulate()
  physics.shared_state()
  size = env.VISION_SIZES[0]
  _drawing(physics, jnp.zeros((2, 1), jnp.int32), size, colours=False)()
  return {"kernels_seconds": time.perf_counter() - start}
