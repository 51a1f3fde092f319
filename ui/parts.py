"""How the parts of the app hold their Gradio components: plain HTML, quiet events."""

from typing import Any

PLAIN: dict[str, Any] = {"apply_default_css": False, "padding": False}
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
