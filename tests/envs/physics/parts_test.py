"""Tests of the parts of worlds in compiled models."""

import mujoco
import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants, shapes
from adaland.envs.physics import mjcf, parts
from tests.envs.physics import fakes


def _compiled(*slots: parts.Slot) -> mujoco.MjModel:
  spec = mujoco.MjSpec()
  parts.add_meshes(spec)
  for index, slot in enumerate(slots):
    parts.add_fixed(spec, index, slot)
    parts.add_slot(spec, index, slot)
  parts.add_player(spec, 0)
  parts.add_hand(spec, 0)
  return spec.compile()


class PartsTest(parameterized.TestCase):
  def test_yaw_is_about_the_vertical(self):
    np.testing.assert_allclose(
      parts.yaw_quat(np.pi / 2), (np.sqrt(0.5), 0, 0, np.sqrt(0.5))
    )

  @parameterized.parameters(
    # A cube of 0.4 m at 50 kg/m3: m = 3.2, m (0.2² + 0.2²) / 3.
    (fakes.CUBE, 3.2, (0.0853333,) * 3),
    # A ball of 0.22 m: m = 50 * 4/3 pi 0.22³, 2/5 m 0.22².
    (fakes.SPHERE, 2.2301, (0.0431747,) * 3),
    # 0.16 x 0.8 x 0.5 m: m = 3.2, the mean of m (y² + z²) / 3 and so on, of
    # half sides: of 0.23733, 0.07349, 0.17749.
    (fakes.WALL, 3.2, (0.1627733,) * 3),
  )
  def test_mass_and_inertia(self, type_id, mass, inertia):
    model = _compiled(parts.Slot(type_id))
    body = model.body("slot0")
    np.testing.assert_allclose(body.mass, mass, rtol=1e-4)
    np.testing.assert_allclose(body.inertia, inertia, rtol=1e-4)

  def test_a_spinning_plate_does_not_gain_energy(self):
    """Its true moments would let the gyroscopic torque grow without bound."""
    spec = mujoco.MjSpec()
    mjcf.set_options(spec)
    spec.option.gravity = (0.0, 0.0, 0.0)
    parts.add_meshes(spec)
    parts.add_slot(spec, 0, parts.Slot(fakes.WALL))
    model = spec.compile()
    data = mujoco.MjData(model)
    data.qvel[3:] = 1.7, -64.7, 11.6
    speed = float(np.linalg.norm(data.qvel[3:]))
    for _ in range(30 * parts.SUBSTEPS):
      mujoco.mj_step(model, data)
      self.assertLessEqual(float(np.linalg.norm(data.qvel[3:])), speed)

  def test_a_pyramid_stands_on_its_base(self):
    model = _compiled(parts.Slot(fakes.PYRAMID))
    mesh = model.mesh("pyramid")
    first, count = mesh.vertadr[0], mesh.vertnum[0]
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, model.geom("slot0").quat)
    vertices = model.mesh_vert[first : first + count] @ rotation.reshape(3, 3).T
    height = (vertices + model.geom("slot0").pos)[:, 2]
    self.assertAlmostEqual(
      height.min(), -shapes.PYRAMID.centre_height, delta=1e-6
    )
    self.assertAlmostEqual(np.ptp(height), 0.45, delta=1e-6)

  def test_a_frozen_object_is_a_fixed_body(self):
    at = (1.0, 2.0, 0.2)
    model = _compiled(parts.Slot(fakes.CUBE, True, at), parts.Slot(0))
    np.testing.assert_allclose(model.body("fixed0").pos, at)
    np.testing.assert_allclose(model.body("fixed1").pos, parts.PARKING)
    self.assertEqual(model.geom("fixed0").rgba[3], 1.0)
    self.assertEqual(model.geom("slot0").rgba[3], 0.0)
    # The free body only marks the position.
    self.assertEqual(model.body_gravcomp[model.body("slot0").id], 1.0)

  def test_an_avatar_stands_on_its_feet_and_is_driven_along_the_floor(self):
    model = _compiled()
    geom = model.geom("player0")
    top = geom.pos[2] + geom.size[1] + geom.size[0]
    self.assertAlmostEqual(top, constants.AVATAR_HEIGHT)
    self.assertEqual(model.nu, 2 + 3)  # Player along x, y; hand along x, y, z.
    self.assertEqual(model.nv, 3 + 3)


if __name__ == "__main__":
  absltest.main()
