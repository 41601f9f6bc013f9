"""A rule that cannot fail is no rule: each violation is written into a copy of the tree, and the check names its rule."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.rules import RULES

pytestmark = [pytest.mark.early, pytest.mark.matrix]

ROOT = Path(__file__).resolve().parents[2]
SRC = "src/tunesmith"
SERVICE = f"{SRC}/domains/accounts/service.py"
UNFINISHED = "TO" + "DO"


@dataclass(frozen=True)
class Violation:
    """Text added to a file of the tree (a new one when it is not there), and what the check must then say."""

    rule: str
    file: str
    text: str
    said: str
    into_settings: bool = False


def lines(count: int, each: str = "x = 1") -> str:
    return "\n".join([each] * count) + "\n"


VIOLATIONS = [
    Violation("file-size", f"{SRC}/kit/long.py", lines(401), "kit/long.py has 401 lines"),
    Violation("file-size", f"{SRC}/ml/long.py", lines(501), "ml/long.py has 501 lines"),
    Violation("function-size", SERVICE, "def long() -> None:\n" + lines(60, "    print()"), "long has 61 lines"),
    Violation("function-size", f"{SRC}/ml/x.py", "def long():\n" + lines(120, "    print()"), "long has 121 lines"),
    Violation("ui-file-size", "ui/src/routes/long.tsx", lines(251, "// x"), "long.tsx has 251 lines"),
    Violation("forbidden-names", f"{SRC}/kit/utils.py", "", "'utils' says nothing"),
    Violation("forbidden-names", f"{SRC}/domains/jobs/manager/__init__.py", '"""x"""', "'manager' says nothing"),
    Violation("get-find-list", SERVICE, "def get_it() -> str | None: return None\n", "get_it can answer None"),
    Violation("get-find-list", SERVICE, "def find_it() -> str: return ''\n", "find_it never answers None"),
    Violation("docstrings", f"{SRC}/newroom/__init__.py", "x = 1\n", "the package has no docstring"),
    Violation("docstrings", SERVICE, "class Bare:\n    x = 1\n", "class Bare has no docstring"),
    Violation(
        "docstrings",
        f"{SRC}/ports/extra.py",
        'from typing import Protocol\nclass P(Protocol):\n    """x"""\n    def silent(self) -> None: ...\n',
        "P.silent is a port method without a docstring",
    ),
    Violation(
        "docstrings", f"{SRC}/api/x.py", "@router.get('/x')\ndef silent(): return 1\n", "route silent has no docstring"
    ),
    Violation(
        "front-door",
        f"{SRC}/domains/projects/service.py",
        "from tunesmith.domains.accounts import tables\n",
        "tunesmith.domains.projects.service imports tunesmith.domains.accounts.tables",
    ),
    Violation("environment", SERVICE, "import os\nx = os.environ['HOME']\n", "accounts/service.py"),
    Violation("environment", SERVICE, "from os import getenv\n", "accounts/service.py"),
    Violation("commit", SERVICE, "async def f(session): await session.commit()\n", "accounts/service.py"),
    Violation("http-exception", SERVICE, "from starlette.exceptions import HTTPException\n", "accounts/service.py"),
    Violation(
        "owned-rows",
        f"{SRC}/domains/x/tables.py",
        "class XRow(Base):\n    __tablename__ = 'xs'\n",
        "table 'xs' has no owner",
    ),
    Violation(
        "owned-columns",
        f"{SRC}/domains/accounts/tables.py",
        "from tunesmith.db import ProjectOwned\nclass XRow(ProjectOwned, Base):\n    __tablename__ = 'xs'\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n    created_by: Mapped[int | None] = mapped_column()\n",
        "XRow.created_by has to be a non-null foreign key",
    ),
    Violation(
        "visible-to",
        f"{SRC}/domains/x/repository.py",
        "def list_xs(session): return select(OwnedRow)\n",
        "list_xs queries OwnedRow for everybody",
    ),
    Violation("visible-to", f"{SRC}/domains/x/repository.py", "x = 1\n", "never starts from visible_to"),
    Violation(
        "route-rules",
        f"{SRC}/api/system.py",
        "@router.get('/open')\nasync def unguarded() -> Health:\n    '''x'''\n    return Health(status='ok', version='')\n",
        "GET /open says nothing about who may call it",
    ),
    Violation(
        "route-rules",
        f"{SRC}/api/system.py",
        "@router.post('/weak', dependencies=[allow(Permission.READ)])\nasync def weak() -> None:\n    '''x'''\n",
        "POST /weak changes something",
    ),
    Violation(
        "route-documents",
        f"{SRC}/api/system.py",
        "@router.get('/bare', dependencies=[public()])\nasync def bare() -> Health:\n    return Health(status='', version='')\n",
        "GET /bare has no description",
    ),
    Violation(
        "route-documents",
        f"{SRC}/api/system.py",
        "class Bare(BaseModel):\n    silent: int\n@router.get('/silent', dependencies=[public()])\n"
        "async def silent() -> Bare:\n    '''x'''\n    return Bare(silent=1)\n",
        "the field Bare.silent has no description",
    ),
    Violation(
        "settings-described",
        f"{SRC}/settings/groups.py",
        "    silent: int = 1\n",
        "TUNESMITH_MODELS__SILENT",
        into_settings=True,
    ),
    Violation(
        "error-codes",
        SERVICE,
        "from tunesmith.kit.errors import NotFound\nclass Twin(NotFound):\n    '''x'''\n    code = 'conflict'\n",
        "the error code 'conflict' belongs to several classes",
    ),
    Violation(
        "error-codes",
        SERVICE,
        "from tunesmith.kit.errors import NotFound\nclass Odd(NotFound):\n    '''x'''\n    code, status = 'Not_Kebab', 404\n",
        "'Not_Kebab' is not a kebab-case slug",
    ),
    Violation(
        "error-documents",
        SERVICE,
        "from tunesmith.kit.errors import TunesmithError\nclass Bare(TunesmithError):\n    '''x'''\n    hint = ''\n",
        "Bare needs a status, a title and a hint",
    ),
    Violation(
        "error-translations",
        SERVICE,
        "from tunesmith.kit.errors import NotFound\nclass New(NotFound):\n    '''x'''\n    code = 'brand-new'\n",
        "no Korean for the error code 'brand-new'",
    ),
    Violation("unfinished", SERVICE, f"# {UNFINISHED}: later\n", "accounts/service.py"),
    Violation("swallowed-errors", SERVICE, "try:\n    x = 1\nexcept Exception:\n    pass\n", "swallows every error"),
    Violation("addresses", "README.md", "https://files.python" + "hosted.org/packages/x\n", "README.md"),
    Violation("addresses", "docs/x.md", "see /ro" + "ot/x\n", "a path of somebody's machine"),
    Violation("dotted-patches", "tests/test_x.py", 'monkeypatch.setattr("tunesmith.x.y", 1)\n', "test_x.py:1"),
    Violation("silent-skips", "tests/test_x.py", "@pytest.mark.sk" + "ip\ndef test_x(): ...\n", "test_x.py:1"),
    Violation("lazy-ml", f"{SRC}/api/app.py", "import vllm\n", "an API process has vllm in sys.modules"),
]

IMPORTS = [
    Violation(
        "layers", f"{SRC}/kit/clock.py", "import tunesmith.settings\n", "tunesmith.kit.clock -> tunesmith.settings"
    ),
    Violation("layers", f"{SRC}/stray.py", "x = 1\n", "stray"),
    Violation(
        "domain-order",
        SERVICE,
        "def late():\n    from tunesmith.domains import projects\n",
        "tunesmith.domains.accounts.service -> tunesmith.domains.projects",
    ),
    Violation("domain-order", f"{SRC}/domains/stray/__init__.py", '"""x"""\n', "stray"),
    Violation(
        "slice-order",
        f"{SRC}/domains/accounts/repository.py",
        "def late():\n    from tunesmith.domains.accounts import service\n",
        "tunesmith.domains.accounts.repository -> tunesmith.domains.accounts.service",
    ),
    Violation("engine-room", SERVICE, "def late():\n    import torch\n", "tunesmith.domains.accounts.service -> torch"),
    Violation("engine-room", f"{SRC}/wire/x.py", "import transformers\n", "tunesmith.wire.x -> transformers"),
    Violation(
        "closed-engine-room", f"{SRC}/bootstrap.py", "import tunesmith.ml\n", "tunesmith.bootstrap -> tunesmith.ml"
    ),
    Violation(
        "thin-cli",
        f"{SRC}/cli/x.py",
        "import tunesmith.domains.accounts\n",
        "tunesmith.cli.x -> tunesmith.domains.accounts",
    ),
    Violation("web-at-the-edge", SERVICE, "import fastapi\n", "tunesmith.domains.accounts.service -> fastapi"),
    Violation(
        "web-at-the-edge",
        f"{SRC}/adapters/storage/s3.py",
        "import starlette\n",
        "tunesmith.adapters.storage.s3 -> starlette",
    ),
    Violation("vendors-in-adapters", SERVICE, "import boto3\n", "tunesmith.domains.accounts.service -> boto3"),
    Violation(
        "hub-in-one-file", SERVICE, "import huggingface_hub\n", "tunesmith.domains.accounts.service -> huggingface_hub"
    ),
    Violation(
        "adapters-alone",
        f"{SRC}/adapters/storage/s3.py",
        "import tunesmith.adapters.storage.local\n",
        "tunesmith.adapters.storage.s3 -> tunesmith.adapters.storage.local",
    ),
    Violation("no-cycles", f"{SRC}/kit/paging.py", "import tunesmith.kit.web\n", "tunesmith.kit"),
]


CONTRACTS = [c["id"] for c in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]]


@pytest.fixture(scope="module")
def imports_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package alone, for import-linter."""
    copy = tmp_path_factory.mktemp("imports")
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "bundle", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the rules look at."""
    copy = tmp_path_factory.mktemp("tree")
    ignore = shutil.ignore_patterns("__pycache__", "bundle", "node_modules", "*.egg-info", "architecture")
    for folder in ("src", "tests", "ui/src", "tools"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, copy / folder, ignore=ignore)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy / name)
    (copy / "src" / "vllm.py").write_text(
        '"""Stands for the library of this name: what counts is that it was imported."""\n'
    )
    (copy / SRC / "domains/x").mkdir()
    (copy / SRC / "domains/x/tables.py").write_text(
        "class OwnedRow(ProjectOwned, Base):\n    __tablename__ = 'owned'\n"
    )
    (copy / "ui/src/i18n").mkdir(parents=True, exist_ok=True)
    return copy


@contextlib.contextmanager
def broken(tree: Path, violations: list[Violation]) -> Iterator[None]:
    """The violations written into the copy, and taken out again."""
    before = {v.file: _content(tree / v.file) for v in violations}
    for violation in violations:
        file = tree / violation.file
        file.parent.mkdir(parents=True, exist_ok=True)
        there = _content(file)
        if violation.into_settings:
            file.write_text(_into_last_section(there or "", violation.text), encoding="utf-8")
        else:
            file.write_text(violation.text if there is None else f"{there}\n{violation.text}", encoding="utf-8")
    try:
        yield
    finally:
        for name, text in before.items():
            if text is None:
                (tree / name).unlink()
            else:
                (tree / name).write_text(text, encoding="utf-8")


def _content(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def _into_last_section(settings: str, field: str) -> str:
    """Add a field to the class ModelSettings of settings/groups.py."""
    head, tail = settings.split("class ModelSettings(BaseModel):\n", 1)
    docstring, rest = tail.split("\n", 1)
    return f"{head}class ModelSettings(BaseModel):\n{docstring}\n{field}{rest}"


@pytest.mark.parametrize("rule", RULES)
def test_a_violation_is_seen(rule: str, tree: Path) -> None:
    violations = [v for v in VIOLATIONS if v.rule == rule]
    with broken(tree, violations):
        said = RULES[rule](tree)
    for violation in violations:
        assert any(violation.said in sentence for sentence in said), f"{rule} said: {said}"


@pytest.fixture(scope="module")
def said_of_imports(imports_tree: Path) -> dict[str, str]:
    """What import-linter says under each contract when all the wrong imports are there at once."""
    program = Path(sys.executable).with_name("lint-imports")
    with broken(imports_tree, IMPORTS):
        done = subprocess.run(
            [str(program), "--no-cache", "--no-logo"],
            capture_output=True,
            text=True,
            cwd=imports_tree,
            env={**os.environ, "PYTHONPATH": str(imports_tree / "src"), "COLUMNS": "200"},
        )
    assert done.returncode == 1, done.stdout + done.stderr
    headings = re.compile(r"^([a-z-]+): .+\n-+$", re.MULTILINE)
    parts = headings.split(done.stdout)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_wrong_import_is_seen(contract: str, said_of_imports: dict[str, str]) -> None:
    for violation in IMPORTS:
        if violation.rule == contract:
            assert violation.said in said_of_imports[contract]


def test_every_rule_has_a_violation() -> None:
    assert {v.rule for v in VIOLATIONS} == set(RULES)
    assert {v.rule for v in IMPORTS} == set(CONTRACTS)
