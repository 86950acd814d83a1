"""Imported by a worker, it keeps its process from ending, as a lost answer of a child can."""

import atexit
import time

atexit.register(time.sleep, 600)
