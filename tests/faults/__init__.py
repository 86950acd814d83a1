"""Killing real processes at named points, and counting what was lost or done twice.

`effects` is a small Django app whose tasks leave countable traces, `failpoints` are the named points
at which a process kills itself, `cluster` runs workers and schedulers as processes, `measure` holds
one measurement a promise, and `report` runs them and writes the table.
"""
