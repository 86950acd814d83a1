"""One set of settings, read from the environment and tightened for production.

`development` is the default, `production` refuses to start without its secrets, `test` is what the
test suite runs on. Each builds on `base`, which takes Celery's part from `celery` and the theme's
from `unfold`.
"""
