"""Tests of a status page; scale_request_test has the command."""

from absl.testing import absltest

from adaland.launch import status


class PageTest(absltest.TestCase):
  def test_age_state_and_roles(self):
    role = {
      "kind": "actor",
      "pid": 0,
      "host": "here",
      "memory_mb": 1.6,
      "restarts": 3,
      "heartbeat_age_s": 61.0,
    }
    found = {
      "launcher": "ray",
      "state": "running",
      "pid": 5,
      "host": "there",
      "time": 1000.0,
      "counters": {"env_steps": 1, "episodes": 2, "updates": 3, "seconds": 4},
      "metrics": {"reward/episode": 0.5, "params_lag": None, "loss": 9.0},
      "roles": {"actor 0": role},
    }
    lines = status.page(found, running=True, now=1090.0).splitlines()
    self.assertEqual(
      lines[0], "ray launcher, running; process 5 on there, 1m30s ago"
    )
    self.assertEqual(lines[2], "reward/episode 0.5")
    self.assertEqual(lines[4].index("host"), lines[5].index("here"))
    # A process that has not answered yet has no number.
    self.assertEqual(
      lines[5].split(), ["actor", "0", "here", "-", "2", "3", "1m01s"]
    )


if __name__ == "__main__":
  absltest.main()
