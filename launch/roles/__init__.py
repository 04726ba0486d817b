"""What every launcher runs, whatever carries their messages."""
