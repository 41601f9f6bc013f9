"""Who may reach what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.architecture.rules.source import Source, dotted, package

ML_LIBRARIES = (
    *(
        "torch",
        "transformers",
        "peft",
        "trl",
        "accelerate",
        "bitsandbytes",
        "deepspeed",
        "datasets",
        "vllm",
        "mlx",
        "mlx_lm",
    ),
    *("sentence_transformers", "lm_eval", "onnxruntime", "llama_cpp", "xllamacpp"),
)

_TRESPASSERS = """
import sys, grimp
graph = grimp.build_graph("tunesmith", cache_dir=None)
homes = [m for m in graph.find_children("tunesmith.domains")]
for home in sorted(homes):
    for inner in sorted(graph.find_descendants(home)):
        for importer in sorted(graph.find_modules_that_directly_import(inner)):
            if importer.startswith("tunesmith.domains.") and not (importer + ".").startswith(home + "."):
                print(f"{importer} imports {inner}; a domain is met at its front door, {home}")
"""

_LOADED = f"""
import sys
import tunesmith.api.app
from tunesmith.settings import load_settings
import tempfile
tunesmith.api.app.create_app(load_settings(data_dir=tempfile.mkdtemp())).openapi()
from pathlib import Path
if Path("src/tunesmith/cli/main.py").exists():
    import tunesmith.cli.main
for name in {ML_LIBRARIES!r}:
    if name in sys.modules:
        print(f"an API process has {{name}} in sys.modules")
"""


def _python(root: Path, code: str) -> list[str]:
    """Lines that `code` prints in a fresh interpreter that sees this checkout's package."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root / 'src')!r})\n{code}"],
        capture_output=True,
        text=True,
        cwd=root,
    )
    return done.stdout.splitlines() + ([done.stderr.strip()[-2000:]] if done.returncode else [])


def front_door(root: Path) -> list[str]:
    """A domain imports its neighbours as `tunesmith.domains.<name>`, never a module inside them."""
    return _python(root, _TRESPASSERS)


def lazy_ml(root: Path) -> list[str]:
    """A process that built the API and the command line has loaded no machine-learning library."""
    return _python(root, _LOADED)


def environment(root: Path) -> list[str]:
    """The environment is read in settings/ (and in the engine room, which is a process of its own)."""
    found = []
    for source in package(root):
        if source.is_ml or source.module == "settings/__init__.py":
            continue
        for node in ast.walk(source.tree):
            read = isinstance(node, ast.Attribute) and dotted(node) in ("os.environ", "os.getenv", "os.environb")
            imported = (
                isinstance(node, ast.ImportFrom)
                and node.module == "os"
                and any(alias.name in ("environ", "getenv") for alias in node.names)
            )
            if read or imported:
                found.append(f"{source.place}:{getattr(node, 'lineno', 0)} reads the environment; add a setting")
    return found


def _calls(source: Source, attribute: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == attribute
    ]


def commit(root: Path) -> list[str]:
    """Transactions are committed at the edge, in db/session.py and nowhere else."""
    return [
        f"{source.place}:{line} commits; leave it to the unit of work (db/session.py)"
        for source in package(root)
        if source.module != "db/session.py"
        for line in _calls(source, "commit")
    ]


def http_exception(root: Path) -> list[str]:
    """Domains raise errors of the tree; HTTPException belongs to the API."""
    found = []
    for source in package(root):
        if source.module.startswith("api/") or source.module == "kit/web.py":
            continue
        for node in ast.walk(source.tree):
            named = (isinstance(node, ast.Name) and node.id == "HTTPException") or (
                isinstance(node, ast.ImportFrom) and any(alias.name == "HTTPException" for alias in node.names)
            )
            if named:
                line = getattr(node, "lineno", 0)
                found.append(f"{source.place}:{line} uses HTTPException; raise a TunesmithError with a code and a hint")
    return found
