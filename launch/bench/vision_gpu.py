"""Pictures on the gpu back end: our rays, and MJWarp's batch renderer."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants
from adaland.envs.observations import vision
from adaland.envs.physics.gpu import physics as gpu
from adaland.envs.sampling import sampler
from adaland.envs.worlds import scene as worlds
from adaland.launch import errors
from adaland.launch.bench import env, env_gpu
from adaland.launch.bench.lib import hardware, mjwarp_renderer, timing
from adaland.launch.config import experiment

_TASKS = 256  # Worlds beyond that are the same again.


def pictures(
  config: experiment.ExperimentConfig, num_envs: int, seconds: float
) -> dict[str, float]:
  """Frames a second at several sizes, of worlds at a trial's start.

  `vision_SIZE` is the whole: rays, and colours where they hit; `_rays` the rays
  alone; `_renderer_rgb` MJWarp's renderer with its own light and no shadows;
  `_renderer_hits` the same saying what is seen and how far away, which is less
  than our colours need. All are of the same worlds and views. What decides
  which to use is `_rays_ratio`, rays against `_renderer_hits`.

  Args:
    config: Of the environments and their tasks.
    num_envs: Environments.
    seconds: For each measurement.
  """
  physics, types = _worlds(config, num_envs)
  result = {"vision_num_envs_count": float(num_envs)}
  for size in env.VISION_SIZES:
    name = f"vision_{size[0]}x{size[1]}"
    works = {name: _drawing(physics, types, size, colours=True)}
    works[f"{name}_rays"] = _drawing(physics, types, size, colours=False)
    for kind, colours in (("rgb", True), ("hits", False)):
      works[f"{name}_renderer_{kind}"] = _rendering(physics, size, colours)
    rates = dict(
      zip(works, timing.rates(list(works.values()), seconds), strict=True)
    )
    for work, rate in rates.items():
      result[f"{work}_frames_per_s"] = rate * num_envs
      result[f"{work}_ms"] = 1e3 / rate
    result[f"{name}_ratio"] = rates[name] / rates[f"{name}_rays"]
    result[f"{name}_rays_ratio"] = (
      rates[f"{name}_rays"] / rates[f"{name}_renderer_hits"]
    )
  used = hardware.memory(physics.device)
  return result | {f"vision_{key}": value for key, value in used.items()}


def _worlds(
  config: experiment.ExperimentConfig, num_envs: int
) -> tuple[gpu.GpuPhysics, jax.Array]:
  """Worlds of generated tasks, and the types of their nodes, int32 [N, M]."""
  slots, players = config.env.num_slots, config.env.num_players
  draw = sampler.TaskSampler(config.tasks).task
  scenes = [
    worlds.build_scene(draw(i), slots, players)
    for i in range(min(num_envs, _TASKS))
  ]
  scenes = [scenes[i % len(scenes)] for i in range(num_envs)]
  with errors.user_input("env"):
    physics = gpu.GpuPhysics(num_envs, slots, players, config.env.device)
  everywhere = np.arange(num_envs)
  physics.load(everywhere, scenes)
  yaw = np.random.default_rng(0).uniform(-np.pi, np.pi, (num_envs, players))
  physics.restore(everywhere, yaw.astype(np.float32))
  avatars = np.asarray(constants.PLAYER_TYPE_IDS[:players])
  types = [[*avatars, *scene.slot_types] for scene in scenes]
  return physics, jnp.asarray(types, jnp.int32)


@jax.jit
def _shade(origins, directions, hits, types):
  distance, node, normal = hits
  return jax.vmap(vision.shade)(
    origins, directions, distance, node, normal, types
  )


def _drawing(
  physics: gpu.GpuPhysics,
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


def _rendering(
  physics: gpu.GpuPhysics, size: tuple[int, int], colours: bool
) -> Callable[[], None]:
  renderer = mjwarp_renderer.Renderer(physics, size, colours)
  eyes, axes = (np.asarray(x)[:, 0] for x in env_gpu.views(physics))
  renderer.look(eyes, axes)
  return renderer.draw


def kernels(config: experiment.ExperimentConfig) -> dict[str, float]:
  """Seconds to have all kernels ready: to compile them, or find them cached."""
  start = time.perf_counter()
  physics, _ = _worlds(config, 2)
  physics.simulate()
  physics.shared_state()
  size = env.VISION_SIZES[0]
  _drawing(physics, jnp.zeros((2, 1), jnp.int32), size, colours=False)()
  for colours in (True, False):
    _rendering(physics, size, colours)()
  return {"kernels_seconds": time.perf_counter() - start}
