"""Ollama's Modelfile: read and written. ``render`` says what Ollama would send for a conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.text.errors import ModelfileError
from tunesmith.text.go_template import GoTemplate

_COMMANDS = ("FROM", "TEMPLATE", "SYSTEM", "ADAPTER", "LICENSE", "PARAMETER", "MESSAGE")
_LINE = re.compile(r"(?P<command>[A-Za-z]+)[ \t]+", re.A)
TRIMS = "# The template trims messages: send them without white space at their ends."
"""Said in a Modelfile whose model's own template trims what people say, which Ollama's templates cannot."""


@dataclass(frozen=True)
class Modelfile:
    """What a Modelfile says. ``parameters`` holds a list for each name, since ``stop`` may stand several times."""

    model: str
    template: str = ""
    system: str = ""
    parameters: Mapping[str, list[str]] = field(default_factory=dict)
    adapter: str = ""
    trims: bool = False

    @property
    def stops(self) -> list[str]:
        """Texts that end an answer."""
        return list(self.parameters.get("stop", []))

    def render(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """The prompt for an answer, as Ollama makes it of the template."""
        said = [{"Role": str(m["role"]), "Content": self._content(m)} for m in messages]
        if self.system and not (said and said[0]["Role"] == "system"):
            said.insert(0, {"Role": "system", "Content": self.system})
        system = "\n\n".join(m["Content"] for m in said if m["Role"] == "system")
        template = GoTemplate(self.template or "{{ .Prompt }}")
        if ".Messages" in self.template:
            return template.render({"Messages": said, "System": system, "Response": ""})
        return self._turns(template, said)

    def _content(self, message: Mapping[str, Any]) -> str:
        content = str(message.get("content") or "")
        return content.strip() if self.trims else content

    def _turns(self, template: GoTemplate, said: list[dict[str, str]]) -> str:
        """Older templates know one turn: Ollama renders them again and again, an answer closing each but the last."""
        text, system, prompt = "", "", ""
        for message in said:
            if message["Role"] == "system":
                system = message["Content"]
            elif message["Role"] == "user":
                prompt = message["Content"]
            else:
                text += template.render({"System": system, "Prompt": prompt, "Response": message["Content"]})
                system = prompt = ""
        return text + template.render({"System": system, "Prompt": prompt, "Response": ""})

    def write(self) -> str:
        """The file."""
        lines = ["# Written by Tunesmith. Use it with: ollama create NAME -f Modelfile"]
        lines += [TRIMS] if self.trims else []
        lines += [f"FROM {self.model}"]
        if self.template:
            lines.append(f'TEMPLATE """{self.template}"""')
        if self.system:
            lines.append(f'SYSTEM """{self.system}"""')
        for name, values in self.parameters.items():
            lines += [f"PARAMETER {name} {_quoted(value)}" for value in values]
        return "\n".join(lines) + "\n"


def parse_modelfile(text: str) -> Modelfile:
    """Read a Modelfile; raises ModelfileError naming the line."""
    found: dict[str, str] = {}
    parameters: dict[str, list[str]] = {}
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].strip()
        if not line or line.startswith("#"):
            at = end + 1
            continue
        number = text.count("\n", 0, at) + 1
        at += len(text[at:end]) - len(text[at:end].lstrip())
        match = _LINE.match(text, at)
        command = match["command"].upper() if match else line.split()[0]
        if match is None or command not in _COMMANDS:
            raise ModelfileError(
                f"Line {number} of the Modelfile begins with {command[:40]!r}, which is no command of it."
            )
        if command in ("PARAMETER", "MESSAGE"):
            name, _, at_value = _name(text, match.end(), number)
            value, at = _value(text, at_value, number)
            if command == "PARAMETER":
                parameters.setdefault(name.lower(), []).append(value)
        else:
            found[command], at = _value(text, match.end(), number)
    if not found.get("FROM"):
        raise ModelfileError("The Modelfile has no FROM.")
    return Modelfile(
        model=found["FROM"],
        template=found.get("TEMPLATE", ""),
        system=found.get("SYSTEM", ""),
        adapter=found.get("ADAPTER", ""),
        parameters=parameters,
        trims=TRIMS in text,
    )


def _name(text: str, at: int, number: int) -> tuple[str, int, int]:
    match = re.compile(r"(\w+)[ \t]+").match(text, at)
    if match is None:
        raise ModelfileError(f"Line {number} of the Modelfile needs a name and a value.")
    return match[1], at, match.end()


def _value(text: str, at: int, number: int) -> tuple[str, int]:
    """The value that begins at ``at``, and where the next line begins."""
    if text.startswith('"""', at):
        end = text.find('"""', at + 3)
        if end < 0:
            raise ModelfileError(f'Line {number} of the Modelfile opens """ and does not close it.')
        value, after = text[at + 3 : end], end + 3
    else:
        after = text.find("\n", at)
        after = len(text) if after < 0 else after
        value = text[at:after].strip()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = re.sub(r'\\(["\\])', r"\1", value[1:-1])
        return value, after + 1
    newline = text.find("\n", after)
    return value, len(text) if newline < 0 else newline + 1


def _quoted(value: str) -> str:
    return value if re.fullmatch(r"[\w.+-]+", value) else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
