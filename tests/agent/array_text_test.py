"""Tests of adaland.agent.array_text."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent import array_text


class ReadTest(parameterized.TestCase):
  @parameterized.parameters("", "a", "two\nlines é😀")
  def test_texts_come_back(self, text):
    self.assertEqual(array_text.read(np.array(text)), text)
    swapped = np.array(text).astype(np.array(text).dtype.newbyteorder())
    self.assertEqual(array_text.read(swapped), text)

  @parameterized.parameters(
    (np.array(["a"]), "is not one text"),
    (np.array(3), "is not one text"),
    (np.array(b"a"), "is not one text"),
    (
      np.array([65, 0x110000], np.uint32).view("<U2")[0:1].reshape(()),
      "not characters",
    ),
  )
  def test_other_things_are_refused(self, array, message):
    with self.assertRaisesRegex(ValueError, message):
      array_text.read(array)


if __name__ == "__main__":
  absltest.main()
