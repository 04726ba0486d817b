"""Tests that writing slots gives the same model as compiling."""

import copy

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.physics import mjcf, parts, slots
from tests.envs.physics import fakes

_CAPACITY = mjcf.Capacity(num_slots=3, num_players=2, max_boxes=12, max_ramps=2)
# A count of nonzero body_gravcomp that only the compiler uses, and a statistic
# that simulation ignores.
_IGNORED = ("ngravcomp", "stat.meaninertia")
# Computed from the start orientation, and therefore rounded differently.
_ROUNDED = ("dof_M0", "dof_invweight0", "body_invweight0")


class SlotWriterTest(parameterized.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.writer = slots.SlotWriter(_CAPACITY)

  def _assert_same(self, model, wanted):
    model, wanted = fakes.numbers(model), fakes.numbers(wanted)
    self.assertGreater(len(wanted), 400)
    for name in wanted:
      if name in _ROUNDED:
        np.testing.assert_allclose(
          model[name], wanted[name], rtol=1e-14, err_msg=name
        )
      elif name not in _IGNORED:
        np.testing.assert_array_equal(model[name], wanted[name], name)

  @parameterized.product(
    type_id=list(range(constants.NUM_OBJECT_TYPES + 1)), frozen=(False, True)
  )
  def test_a_written_slot_equals_a_compiled_slot(self, type_id, frozen):
    model = mjcf.build(
      _CAPACITY, fakes.raised_ground(), [parts.Slot(5, True)] * 3
    )
    at, yaw = (0.5, -0.25, 0.75), 0.7
    position = at if type_id else parts.PARKING
    angle = yaw if type_id else 0.0
    wanted = mjcf.build(
      _CAPACITY,
      fakes.raised_ground(),
      [parts.Slot(5, True), parts.Slot(type_id, frozen, position, angle)],
    )
    self.writer.write(
      model,
      slots=np.array([1, 2]),
      types=np.array([type_id, 0]),
      frozen=np.array([frozen, False]),
      positions=np.array([position, parts.PARKING]),
      yaws=np.array([angle, 0.0]),
    )
    self._assert_same(model, wanted)

  def test_other_slots_are_untouched(self):
    model = mjcf.build(
      _CAPACITY, fakes.raised_ground(), [parts.Slot(4, at=(0, 0, 1))]
    )
    before = copy.copy(model)
    never = np.zeros(1, bool)
    for type_id in (10, 0):
      self.writer.write(
        model,
        np.array([2]),
        np.array([type_id]),
        never,
        np.array([parts.PARKING]),
        np.zeros(1),
      )
    self._assert_same(model, before)


if __name__ == "__main__":
  absltest.main()
