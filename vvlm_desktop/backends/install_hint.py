"""What to do where packages of the local models are missing; said alike wherever that is noticed."""

from __future__ import annotations

INSTALL_COMMAND = "python3 installer/bootstrap.py run --local-model"
INSTALL_LOCAL = f"Press Install on the Models page, or: {INSTALL_COMMAND}"
