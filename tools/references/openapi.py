"""The OpenAPI document that the web interface's types are generated from."""

from __future__ import annotations

import json
import tempfile

from tunesmith.api.app import create_app
from tunesmith.settings import load_settings


def document() -> str:
    """The document, in a stable order of keys."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(load_settings(data_dir=folder))
        return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"
