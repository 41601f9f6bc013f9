"""Write the labelled sets of personal data from the sentences beside them.

`python -m tools.write_pii_set` reads `tests/data/pii/*.txt` and writes a `.jsonl` for each; the same files every time.
Nothing here is shared with the detector: the check digits are worked out by the arithmetic below.
"""

from __future__ import annotations

import json
import random
import re
import string
import sys
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "data" / "pii"
SPAN = re.compile(r"<<(!?)([a-z_]+)(\??)\|(.*?)>>")
IBAN_LAYOUTS = {
    "AE": "3n16n",
    "AT": "5n11n",
    "BE": "3n9n",
    "CH": "5n12n",
    "DE": "8n10n",
    "DK": "4n10n",
    "ES": "8n12n",
    "FI": "6n8n",
    "FR": "10n13n",
    "GB": "4a14n",
    "IE": "4a14n",
    "IT": "1a22n",
    "NL": "4a10n",
    "NO": "4n7n",
    "PL": "8n16n",
    "PT": "8n13n",
    "SA": "2n18n",
    "SE": "3n17n",
    "TR": "6n16n",
}
REGIONS = [*range(11, 27), 28]
WIDE = {ord(c): chr(ord(c) + 0xFEE0) for c in string.digits}


class Maker:
    """Values by pattern or by name, from one stream of random numbers."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._makers: dict[str, Callable[..., str]] = {
            "rrn": self._resident,
            "frn": self._foreigner,
            "brn": self._business,
            "card": self._card,
            "amex": self._amex,
            "iban": self._iban,
            "ip4": self._ip4,
            "ip6": self._ip6,
            "licence": self._licence,
            "alnum": lambda prefix, length: prefix + self._from(string.ascii_letters + string.digits, int(length)),
            "alpha": lambda prefix, length: prefix + self._from(string.ascii_letters, int(length)),
            "upper": lambda prefix, length: prefix + self._from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", int(length)),
            "base64": lambda length: self._from(string.ascii_letters + string.digits + "+/", int(length)),
            "fine": lambda: "github_pat_" + self._words(22) + "_" + self._words(59),
            "slack": lambda kind: f"{kind}-{self._digits(12)}-{self._digits(12)}-{self._words(24)}",
            "jwt": lambda: f"eyJhbGciOiJIUzI1NiJ9.eyJ{self._words(60)}.{self._words(43)}",
            "pem": self._pem,
            "telegram": lambda: f"{self._random.randint(1, 9)}{self._digits(9)}:AA{self._words(33)}",
        }

    def value(self, template: str) -> str:
        """The text as it stands, or what stands behind `=`: `# % ^` for any digit, 2–9, a capital; `@name` for a maker."""
        if not template.startswith("="):
            return template
        if template.startswith("=@"):
            name, *arguments = template[2:].split(" ")
            return self._makers[name](*(a.replace("~", " ") for a in arguments))
        classes = {"#": string.digits, "%": "23456789", "^": string.ascii_uppercase}
        made = "".join(self._from(classes.get(c, c), 1) for c in template[1:])
        return made.translate(WIDE) if "０" in template else made

    def _from(self, alphabet: str, length: int) -> str:
        return "".join(self._random.choice(alphabet) for _ in range(length))

    def _digits(self, length: int) -> str:
        return self._from(string.digits, length)

    def _words(self, length: int) -> str:
        return self._from(string.ascii_letters + string.digits, length)

    def _resident(self, style: str, separator: str = "") -> str:
        """Born before October 2020: the last digit checks the others; born later: six digits at random."""
        if style == "new":
            head = f"2{self._random.randint(1, 4)}{self._random.randint(1, 12):02}{self._random.randint(1, 28):02}"
            return f"{head}{separator}{self._random.choice('34')}{self._digits(6)}"
        year = self._random.randint(1940, 2015)
        century = "12" if year < 2000 else "34"
        made = self._checked(year, self._random.choice(century) + self._digits(5), 11, separator)
        return made.translate(WIDE).replace("-", "－") if style == "wide" else made

    def _foreigner(self, style: str, separator: str = "") -> str:
        if style == "new":
            head = f"{self._random.randint(85, 99)}{self._random.randint(1, 12):02}{self._random.randint(1, 28):02}"
            return f"{head}{separator}{self._random.choice('56')}{self._digits(6)}"
        year = self._random.randint(1960, 2005)
        office = f"{self._random.randint(0, 49) * 2:02}"  # always even
        tail = self._random.choice("56" if year < 2000 else "78") + office + self._digits(2) + self._from("6789", 1)
        return self._checked(year, tail, 13, separator)

    def _checked(self, year: int, tail: str, sum_to: int, separator: str) -> str:
        head = f"{year % 100:02}{self._random.randint(1, 12):02}{self._random.randint(1, 28):02}"
        total = 0
        for place, digit in enumerate(head + tail):
            total += int(digit) * (place % 8 + 2)
        return f"{head}{separator}{tail}{(sum_to - total % 11) % 10}"

    def _business(self, separator: str = "") -> str:
        digits = [self._random.randint(1, 6), *(self._random.randint(0, 9) for _ in range(8))]
        total = sum(d * w for d, w in zip(digits, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=True)) + digits[8] * 5 // 10
        text = "".join(map(str, digits)) + str(-total % 10)
        return separator.join((text[:3], text[3:5], text[5:]))

    def _luhn(self, prefix: str, length: int) -> str:
        head = prefix + self._digits(length - 1 - len(prefix))
        for last in string.digits:
            total = 0
            for place, digit in enumerate(reversed(head + last)):
                doubled = int(digit) * (1 + place % 2)
                total += doubled // 10 + doubled % 10
            if total % 10 == 0:
                return head + last
        raise AssertionError

    def _card(self, prefix: str, length: str, separator: str = "") -> str:
        text = self._luhn(prefix, int(length))
        return separator.join(text[at : at + 4] for at in range(0, len(text), 4))

    def _amex(self, separator: str = "") -> str:
        text = self._luhn("37", 15)
        return separator.join((text[:4], text[4:10], text[10:]))

    def _iban(self, country: str, separator: str = "") -> str:
        account = "".join(
            self._digits(int(count)) if kind == "n" else self._from(string.ascii_uppercase, int(count))
            for count, kind in re.findall(r"(\d+)([an])", IBAN_LAYOUTS[country])
        )
        remainder = int("".join(str(int(c, 36)) for c in f"{account}{country}00")) % 97
        text = f"{country}{98 - remainder:02}{account}"
        return separator.join(text[at : at + 4] for at in range(0, len(text), 4))

    def _ip4(self) -> str:
        first = self._random.choice([14, 39, 58, 61, 103, 112, 121, 175, 203, 211, 218])
        return ".".join(map(str, (first, *(self._random.randint(1, 254) for _ in range(3)))))

    def _ip6(self) -> str:
        groups = [f"{self._random.randint(0x1000, 0xFFFF):x}" for _ in range(6)]
        return ":".join(["2001", "e60", *groups])

    def _licence(self, style: str = "") -> str:
        parts = (str(self._random.choice(REGIONS)), self._digits(2), self._digits(6), self._digits(2))
        return {"plain": "", "spaced": " "}.get(style, "-").join(parts)

    def _pem(self, *words: str) -> str:
        flat = words[-1] == "flat"
        name = " ".join(words[:-1] if flat else words)
        lines = [self._from(string.ascii_letters + string.digits + "+/", 64) for _ in range(4)]
        body = [f"-----BEGIN {name}-----", *lines, self._words(30) + "==", f"-----END {name}-----"]
        return ("\\n" if flat else "\n").join(body)


def rows_of(lines: list[str], maker: Maker) -> list[dict[str, object]]:
    """The texts with the places of what is personal data (`spans`; `low` when only the shape says so) and what is not."""
    rows: list[dict[str, object]] = []
    for line in lines:
        if not line or line.startswith("# "):
            continue
        again = re.match(r"@(\d) ", line)
        for _ in range(int(again[1]) if again else 1):
            rows.append(_row(line[again.end() :] if again else line, maker))
    return rows


def _row(line: str, maker: Maker) -> dict[str, object]:
    spans: list[dict[str, object]] = []
    negatives: list[dict[str, object]] = []
    text, at = "", 0
    for hit in SPAN.finditer(line):
        text += line[at : hit.start()].replace("\\n", "\n")
        at = hit.end()
        refused, name, low, template = hit.groups()
        value = maker.value(template)
        span: dict[str, object] = {"start": len(text), "end": len(text) + len(value)}
        text += value
        if refused:
            negatives.append(span | {"kind": name})
        else:
            spans.append(span | {"entity": name} | ({"low": True} if low else {}))
    text += line[at:].replace("\\n", "\n")
    return {"text": text, "spans": spans, "negatives": negatives}


def as_line(row: dict[str, object]) -> str:
    """One row of JSON; the starts of keys are escaped, so that scanners for leaked secrets leave the file alone."""
    text = json.dumps(row, ensure_ascii=False)
    starts = r"AKIA|ASIA|gh[po]_|github_pat_|xox[bp]-|sk[-_]|AIza|hf_|glpat-|npm_|eyJ|:AA|BEGIN"
    return re.sub(starts, lambda hit: f"\\u{ord(hit[0][0]):04x}{hit[0][1:]}", text)


def main() -> int:
    """Write every set, and print what is in it."""
    for path in sorted(FOLDER.glob("*.txt")):
        rows = rows_of(path.read_text(encoding="utf-8").splitlines(), Maker(path.stem))
        path.with_suffix(".jsonl").write_text("".join(as_line(row) + "\n" for row in rows), encoding="utf-8")
        counts: dict[str, int] = {}
        for row in rows:
            for span in row["spans"]:  # type: ignore[attr-defined]
                name = span["entity"] + (" (low)" if span.get("low") else "")
                counts[name] = counts.get(name, 0) + 1
        negatives = sum(len(row["negatives"]) for row in rows)  # type: ignore[arg-type, misc]
        print(f"{path.stem}: {len(rows)} rows, {sum(counts.values())} spans, {negatives} negatives\n  {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
