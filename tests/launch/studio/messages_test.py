"""Tests of the messages that the page sends."""

import json

from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.studio import messages


class DecodeTest(parameterized.TestCase):
  def test_messages_with_all_fields_and_with_few(self):
    text = '{"type":"act","move":2,"yaw":-1.5,"grip":1,"number":7}'
    self.assertEqual(
      messages.decode(text), messages.Act(move=2, grip=1, yaw=-1.5, number=7)
    )
    self.assertEqual(messages.decode('{"type":"go"}'), messages.Go())
    text = '{"type":"watch","players":["expert"],"task":"traps:1"}'
    self.assertEqual(
      messages.decode(text), messages.Watch(("expert",), "traps:1")
    )

  @parameterized.parameters(
    ("", "no JSON"),
    (b"{}", "binary"),
    ("[]", "not an object"),
    ("{}", "'None' is not one of"),
    ('{"type":[]}', "is not one of"),
    ('{"type":"helo","token":"x"}', "did you mean 'hello'"),
    ('{"type":"hello"}', "token is missing"),
    ('{"type":"hello","token":3}', "hello.token"),
    ('{"type":"go","x":1}', "no such field"),
    ('{"type":"act","move":3}', "move is 3, allowed: 0 to 2"),
    ('{"type":"act","yaw":1e9}', "yaw is"),
    ('{"type":"act","yaw":NaN}', "NaN"),
    ('{"type":"act","move":true}', "not a whole number"),
    ('{"type":"play","task":"a","partner":"god"}', "partner"),
    ('{"type":"play","task":"a","trials":49}', "0 to 48"),
    ('{"type":"play","task":"a","seed":-1}', "seed is -1"),
    ('{"type":"watch","players":[],"task":"a"}', "0 players"),
    (
      '{"type":"watch","players":["a"],"demo":"a","episode":-1}',
      "episode is -1",
    ),
    ('{"type":"recording","name":"a","file":"b","number":-1}', "number is -1"),
    ('{"type":"watch","players":["expert"]}', "neither a task nor"),
    ('{"type":"study","tasks":[],"trials":2}', "0 tasks"),
    ('{"type":"study","tasks":["traps:1"],"trials":0}', "trials is 0"),
    ('{"type":"go","type":"stop"}', "given twice"),
    ("[" * 100_000, "nested"),
    ('{"type":"card","task":"' + "x" * messages.MAX_BYTES + '"}', "more than"),
  )
  def test_refusals(self, text, message):
    with self.assertRaisesRegex(errors.UserError, message):
      messages.decode(text)

  @parameterized.parameters(
    ('{"type":"study","tasks":["traps:1"],"trials":49}', "study"),
    ('{"type":"hello"}', "hello"),
    ('{"type":"helo"}', ""),
    ("[]", ""),
  )
  def test_refusals_name_the_request(self, text, about):
    with self.assertRaises(messages.RefusedError) as seen:
      messages.decode(text)
    self.assertEqual(seen.exception.about, about)

  def test_messages_to_the_page_are_json(self):
    text = messages.encode("frame", k=1, p=[[0.5]])
    self.assertEqual(json.loads(text), {"type": "frame", "k": 1, "p": [[0.5]]})


if __name__ == "__main__":
  absltest.main()
