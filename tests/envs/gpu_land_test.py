"""Tests of `Land` on the gpu back end (on Warp's CPU device).

`gpu_waiting_test` tests that steps do not wait for the device.
"""

import dataclasses
import functools
import unittest

import jax.numpy as jnp
import numpy as np
import pytest
from absl.testing import absltest

from adaland.envs import constants, land
from adaland.envs.adaptors import dm_env_view, gymnasium_vector
from adaland.envs.game import avatar
from adaland.envs.observations import vision
from adaland.envs.physics import cpu
from adaland.envs.sampling import sampler, task_sets
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks.literals import Literal
from tests.envs import fixtures, game_suite, gpu_worlds, land_suite
from tests.envs.observations import pictured
from tests.envs.physics import backends

# One process compiles Warp's kernels, and lends its worlds to all these tests.
pytestmark = pytest.mark.xdist_group("warp")


@pytest.mark.timeout(1200)  # The kernels may have to be compiled.
@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class GpuLandTest(land_suite.LandSuite, game_suite.GameSuite):
  def land(self, *tasks, config=fixtures.CONFIG, seed=0) -> land.Land:
    return gpu_worlds.make_land(self, *tasks, config=config, seed=seed)


@pytest.mark.timeout(1200)  # The kernels may have to be compiled.
@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class ParityTest(absltest.TestCase):
  """Tests that both back ends give the same events under random actions.

  The back ends round differently: the gpu's physics is in single precision,
  and its solver stops a little earlier. Contacts amplify such differences, so
  events are compared over short trials from equal starts.
  """

  def _play(self, env: land.Land, steps: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    played = {name: [] for name in ("reward", "fired", "held", "visible")}
    positions = []
    env.reset()
    for _ in range(steps):
      actions = fixtures.random_actions(rng)
      actions[:, 0] = rng.choice([1, 2, 2, 2], len(actions))  # Mostly ahead.
      actions[:, 4] = rng.random(len(actions)) < 0.8
      step = env.step(actions)
      played["reward"].append(step.reward)
      views = [env.state_view(i) for i in range(env.num_envs)]
      for name in ("fired", "held", "visible"):
        played[name].append(np.stack([getattr(v, name) for v in views]))
      positions.append(np.stack([view.player_pos[0] for view in views]))
    played["position"] = positions
    return {name: np.stack(values) for name, values in played.items()}

  def test_events_agree(self):
    tasks = [
      sampler.TaskSampler(
        SamplerConfig(
          tiles=(6, 7),
          max_objects=6,
          chain_rules=(1, 2),
          dead_ends=(0, 1),
          distractors=(0, 2),
          trials=(2, 2),
          trial_seconds=(3, 3),
        )
      ).task(index)
      for index in range(6)
    ]
    config = fixtures.CONFIG
    steps = 3 * 2 * 23
    on_cpu = self._play(fixtures.make_land(*tasks, config=config), steps)
    on_gpu = self._play(
      gpu_worlds.make_land(self, *tasks, config=config), steps
    )
    apart = np.linalg.norm(on_gpu["position"] - on_cpu["position"], axis=-1)
    share = {
      name: np.mean(on_gpu[name] == on_cpu[name])
      for name in ("reward", "fired", "held", "visible")
    }
    # On both back ends, rules fired and objects were held.
    self.assertGreater(on_cpu["fired"].sum(), 0)
    self.assertGreater((on_cpu["held"] >= 0).sum(), 0)
    self.assertLess(np.quantile(apart, 0.9), 0.05)
    self.assertGreaterEqual(share["reward"], 0.98)
    self.assertGreaterEqual(share["fired"], 0.98)
    self.assertGreaterEqual(share["held"], 0.98)
    self.assertGreaterEqual(share["visible"], 0.98)


@pytest.mark.timeout(1200)  # The kernels may have to be compiled.
@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class PicturesTest(absltest.TestCase):
  def test_pictures_equal_those_of_the_cpu_back_end(self):
    """Hilly worlds with all shapes, at the start and while turning."""
    tasks = [
      sampler.TaskSampler(
        SamplerConfig(
          tiles=(8, 10), levels=(2, 4), distractors=(2, 4), max_objects=6
        )
      ).task(index)
      for index in range(4)
    ]
    config = dataclasses.replace(
      fixtures.CONFIG, max_rules=16, observation="pixels", pixels=(48, 36)
    )
    both = []
    for make in (
      fixtures.make_land,
      functools.partial(gpu_worlds.make_land, self),
    ):
      env = make(*tasks, config=config)
      pictures = [env.reset().observation["pixels"]]
      for _ in range(10):
        actions = fixtures.noop()
        actions[:, 2] = 4  # Turn left at the highest rate.
        pictures.append(env.step(actions).observation["pixels"])
      both.append(np.stack(pictures).astype(int))
    on_cpu, on_gpu = both
    self.assertGreater(on_cpu.std(), 10)  # The pictures are not blank.
    apart = np.abs(on_gpu - on_cpu).max(axis=-1)
    self.assertGreaterEqual(np.mean(apart <= 1), 0.995)

  def test_pictures_of_equal_states_differ_by_rounding_alone(self):
    """All shapes and colours, frozen or not, hills, ramps, two players."""
    scene, size = pictured.scene(), (96, 72)
    slots, players = len(scene.slot_types), len(scene.player_at)
    physics = (
      cpu.CpuPhysics(1, slots, players, num_threads=1),
      backends.lend(self, 1, slots, players),
    )
    types = jnp.asarray([*constants.PLAYER_TYPE_IDS, *scene.slot_types])
    seen = set()
    for each in physics:
      each.load(np.array([0]), [scene])
    for turn, pitch in ((0.0, -0.35), (0.5, 0.0), (-0.6, -0.9), (2.6, -0.2)):
      pictures = []
      for each in physics:
        yaw = jnp.asarray([[turn, np.pi - turn]], jnp.float32)
        axes = avatar.view_axes(yaw, jnp.full_like(yaw, pitch))
        eyes = avatar.eye(each.state().player_pos)
        view = jnp.asarray(vision.pixel_directions(*size))
        origins, directions = (
          np.asarray(x).reshape(1, -1, 3)
          for x in vision.pixel_rays(view, eyes, axes)
        )
        own = np.repeat([[0, 1]], size[0] * size[1], axis=1).astype(np.int32)
        hits = each.rays(origins, directions, own, normals=True)
        seen |= set(np.unique(hits.node))
        picture = vision.shade(
          jnp.asarray(origins[0]),
          jnp.asarray(directions[0]),
          jnp.asarray(hits.distance[0]),
          jnp.asarray(hits.node[0]),
          jnp.asarray(hits.normal[0]),
          types,
          vision.look(0),
        )
        shape = (players, size[1], size[0], 3)
        pictures.append(np.asarray(picture).reshape(shape).astype(int))
      self._assert_equal_except_edges(*pictures)
    # Sky, ground, both players, and every object came into view.
    self.assertEqual(seen, {-2, -1, *range(players + slots)})

  def _assert_equal_except_edges(self, first, second):
    """Asserts equality, except that edges may be a pixel apart."""
    apart = np.abs(first - second).max(axis=-1)
    self.assertGreater(first.std(), 10)  # The pictures are not blank.
    self.assertGreaterEqual(np.mean(apart <= 1), 0.999)
    padded = np.pad(first, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    for picture, row, column in np.argwhere(apart > 1):
      around = padded[picture, row : row + 3, column : column + 3]
      near = np.abs(around - second[picture, row, column]).max(axis=-1)
      self.assertLessEqual(near.min(), 4)


@pytest.mark.timeout(1200)  # The kernels may have to be compiled.
@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class ViewsTest(absltest.TestCase):
  """Tests that the adaptors return NumPy arrays on this back end too."""

  def setUp(self):
    super().setUp()
    self.config = dataclasses.replace(
      fixtures.CONFIG, backend="gpu", device="cpu"
    )
    self.enter_context(gpu_worlds.lent(self))

  def test_gymnasium(self):
    envs = gymnasium_vector.LandVectorEnv(
      fixtures.NUM_ENVS,
      task_sets.TaskList((fixtures.busy_task(trials=1),)),
      self.config,
    )
    observation, _ = envs.reset(seed=3)
    self.assertTrue(envs.observation_space.contains(observation))
    for step in range(1, 18):
      observation, reward, ended, _, info = envs.step(fixtures.noop())
      self.assertTrue(envs.observation_space.contains(observation))
      self.assertEqual((type(reward), reward.dtype), (np.ndarray, np.float64))
      self.assertEqual(ended.all(), step == 15)
      self.assertEqual(type(info["dropped_spawns"]), np.ndarray)

  def test_dm_env_of_a_single_world(self):
    env = dm_env_view.LandEnv(
      lambda _: fixtures.make_task(
        [(fixtures.CUBE, (0.8, 0.0))],
        Literal("near", fixtures.PLAYER, fixtures.CUBE),
        trials=1,
      ),
      self.config,
    )
    timestep = env.reset()
    rewards = []
    while not timestep.last():
      timestep = env.step(fixtures.noop(1)[0])
      rewards.append(timestep.reward)
      for name, spec in env.observation_spec().items():
        spec.validate(timestep.observation[name])
    np.testing.assert_allclose(rewards, [constants.STEP_SECONDS] * 15)


if __name__ == "__main__":
  absltest.main()
