"""Tests of adaland.launch.bench.lib.hardware."""

import types

import jax
from absl.testing import absltest

from adaland.launch.bench.lib import hardware


class MemoryTest(absltest.TestCase):
  def test_on_a_processor_memory_is_the_process_s(self):
    found = hardware.memory()
    self.assertEqual(set(found), {"resident_peak_bytes"})
    self.assertBetween(found["resident_peak_bytes"], 50e6, 50e9)
    on_cpu = types.SimpleNamespace(is_cuda=False)
    self.assertEqual(set(hardware.memory(on_cpu)), {"resident_peak_bytes"})

  def test_on_an_accelerator_memory_is_the_device_s_too(self):
    stats = {"bytes_in_use": 5, "peak_bytes_in_use": 7, "bytes_limit": 60}
    fake = types.SimpleNamespace(memory_stats=lambda: stats)
    card = types.SimpleNamespace(is_cuda=True, free_memory=30, total_memory=99)
    with absltest.mock.patch.object(jax, "local_devices", return_value=[fake]):
      found = hardware.memory(card)
    del found["resident_peak_bytes"]
    self.assertEqual(
      found,
      {
        "jax_in_use_bytes": 5.0,
        "jax_peak_bytes": 7.0,
        "jax_limit_bytes": 60.0,
        "warp_free_bytes": 30.0,
        "warp_total_bytes": 99.0,
      },
    )


class ProductTest(absltest.TestCase):
  def test_counts_two_operations_for_each_product_of_numbers(self):
    with absltest.mock.patch.object(
      hardware.timing, "rates", return_value=[1000.0]
    ) as rates:
      rate = hardware.product_flop_per_s("float32", 0.5)
    self.assertEqual(rate, 1000 * 2 * 512**3)
    [[work], seconds] = rates.call_args.args
    self.assertEqual(work().shape, (512, 512))
    self.assertEqual(seconds, 0.5)


if __name__ == "__main__":
  absltest.main()
