"""The rules of the house that import-linter cannot say.

Each is a function from a checkout's root to sentences, one for each violation; an empty list means that it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.architecture.rules import access, boundaries, errors, files, names, running, text

Rule = Callable[[Path], list[str]]

RULES: dict[str, Rule] = {
    "file-size": files.file_size,
    "function-size": files.function_size,
    "ui-file-size": files.ui_file_size,
    "forbidden-names": names.forbidden_names,
    "get-find-list": names.get_find_list,
    "docstrings": names.docstrings,
    "front-door": boundaries.front_door,
    "environment": boundaries.environment,
    "commit": boundaries.commit,
    "http-exception": boundaries.http_exception,
    "lazy-ml": boundaries.lazy_ml,
    "owned-rows": access.owned_rows,
    "owned-columns": running.owned_columns,
    "visible-to": access.visible_to,
    "route-rules": running.route_rules,
    "route-documents": running.route_documents,
    "settings-described": running.settings_described,
    "error-codes": errors.error_codes,
    "error-documents": running.error_documents,
    "error-translations": errors.error_translations,
    "unfinished": text.unfinished,
    "swallowed-errors": text.swallowed_errors,
    "addresses": text.addresses,
    "dotted-patches": text.dotted_patches,
    "silent-skips": text.silent_skips,
}
