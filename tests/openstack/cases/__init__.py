# SPDX-License-Identifier: Apache-2.0
"""What is asked of both sides, one module for each part of the API."""
