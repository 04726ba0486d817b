"""Tests of bench.memory: sizes by hand, and that steps are timed."""

from absl.testing import absltest, parameterized

from adaland.agent.config import NetworkConfig
from adaland.launch.bench import memory
from tests.launch.runtimes.single import configs


class WithContextTest(parameterized.TestCase):
  @parameterized.parameters(
    ("transformer_xl", "memory_length", 1000),
    ("local_global", "memory_length", 1000),
    ("skip", "memory_length", 250),
    ("gru_attention", "store_size", 125),
  )
  def test_reaches_as_far_back(self, name, field, size):
    config = memory.with_context(NetworkConfig(), name, 1000)
    self.assertEqual(config.memory, name)
    self.assertEqual(getattr(config, field), size)


class SteppingTest(absltest.TestCase):
  def test_bytes_are_those_of_a_row(self):
    config = NetworkConfig(
      memory="griffin", d_model=8, num_heads=2, key_size=4, local_length=5
    )
    made = memory.stepping(config, num_rows=3)
    made.work()
    # A hidden state of 10 and three inputs of 10; keys and values of one
    # head, 6 slots; the previous step; the age. Four bytes each.
    self.assertEqual(made.state_bytes, 4 * (10 + 3 * 10 + 2 * 6 * 4 + 8 + 1))

  def test_age_ratio_counts_the_steps(self):
    calls = []
    ratio = memory.age_ratio(lambda: calls.append(sum(range(500))), ages=3000)
    self.assertLen(calls, 3001)
    self.assertGreater(ratio, 0)

  def test_names(self):
    with (
      absltest.mock.patch.object(memory, "MEMORIES", ("none",)),
      absltest.mock.patch.object(memory, "CONTEXTS", (8,)),
      absltest.mock.patch.object(memory, "age_ratio", return_value=1.0),
    ):
      found = memory.memory(configs.tiny(), 0.01)
    self.assertEqual(
      set(found),
      {
        "memory_none_8_state_bytes",
        "memory_none_8_step_cpu_us",
        "memory_none_8_step_us",
        "memory_none_age_ratio",
      },
    )
    # Only the age.
    self.assertEqual(found["memory_none_8_state_bytes"], 4)


if __name__ == "__main__":
  absltest.main()
