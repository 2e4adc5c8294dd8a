# SPDX-License-Identifier: Apache-2.0
"""The lab: virtual machines in which scripts meet real storage kernels."""
