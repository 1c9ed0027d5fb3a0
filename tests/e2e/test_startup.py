"""The window opens without loading what it does not need yet; models and SDKs never come into its process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

NEVER = ("torch", "torchvision", "transformers", "peft", "matplotlib", "google.genai", "openai", "decord", "scipy")
NOT_AT_START = ("alembic", "cv2", "av")

_SHOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from vvlm_desktop import app as root
from vvlm_desktop.settings import Settings
from vvlm_desktop.workflow.session import open_session
from vvlm_desktop.ui import theme

app = root._application()
look = theme.Theme(app, "dark")
window = root._window(open_session(Settings(), library_dir=Path(sys.argv[1])), look)
window.show()
app.processEvents()
print(" ".join(sorted(sys.modules)))
window.close()
"""


def test_first_window_loads_no_model_library_and_no_migration_tool(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", _SHOW, str(tmp_path / "library")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "VVLM_DATA_DIR": str(tmp_path)},
    )
    assert result.returncode == 0, result.stderr
    loaded = set(result.stdout.split())
    assert "vvlm_desktop.ui.main_window" in loaded
    assert [name for name in (*NEVER, *NOT_AT_START) if name in loaded] == []
