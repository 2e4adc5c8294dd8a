# SPDX-License-Identifier: Apache-2.0
"""A whole cloud in one directory: control plane, back ends, hypervisors, each a real process."""
