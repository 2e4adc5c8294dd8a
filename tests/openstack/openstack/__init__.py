# SPDX-License-Identifier: Apache-2.0
"""Real OpenStack services as the reference for ours, and as what ours talks to."""
