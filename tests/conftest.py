"""Shared by all tests: how long hypothesis looks.

HYPOTHESIS_PROFILE=deep searches longer; a failure prints what reproduces it under either.
"""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: a shared machine is slow at times, and a slow example is no counterexample.
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("deep", deadline=None, print_blob=True, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
