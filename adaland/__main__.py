"""`python -m adaland COMMAND ...`, the same as `adaland COMMAND ...`."""

import sys

from adaland.launch import main

if __name__ == "__main__":
  sys.exit(main.main())
