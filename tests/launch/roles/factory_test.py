"""Tests of adaland.launch.roles.factory."""

from absl.testing import absltest, parameterized

from adaland.launch.config import preset_configs
from adaland.launch.roles import actor, evaluator, factory, role
from adaland.launch.run import dispatch


class FactoryTest(parameterized.TestCase):
  @parameterized.parameters("actor 0", "evaluator")
  def test_acting_roles_run_their_programs_inline(self, name):
    mock = absltest.mock
    setup = role.Setup(preset_configs.smoke(), "")
    calls = mock.Mock()
    with (
      mock.patch.object(dispatch, "run_inline", calls.run_inline),
      mock.patch.object(actor, "Actor", calls.made),
      mock.patch.object(evaluator, "Evaluator", calls.made),
    ):
      factory.make(name, setup, mock.Mock(), mock.Mock())
    # JAX starts when the role is made, and the setting must come before.
    names = [call[0] for call in calls.mock_calls]
    self.assertEqual(names, ["run_inline", "made"])


if __name__ == "__main__":
  absltest.main()
