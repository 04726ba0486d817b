"""A child process for children_test: sleeps, or fails at once."""

import sys
import time

from adaland.launch.runtimes import children

if __name__ == "__main__":
  children.die_with_parent()
  if sys.argv[1] == "fail":
    sys.exit("could not start: no flour")
  print("ready", flush=True)
  time.sleep(600)
