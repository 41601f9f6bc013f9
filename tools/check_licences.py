"""Every installed package has a licence that a company may ship: no AGPL, GPL or SSPL.

python -m tools.check_licences
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, distributions

FINE = re.compile(
    r"\b(MIT|MIT-0|MIT-CMU|BSD|0BSD|Apache|ISC|PSF|Python|MPL|Mozilla|Unlicense|CC0|Zlib|HPND|Public Domain|LGPL|Lesser|BlueOak)\b",
    re.I,
)
REFUSED = re.compile(r"(?<![A-Z])(AGPL|GPL|SSPL|Affero|GNU General Public|Server Side Public)", re.I)
EXCEPTIONS = {
    "nvidia": "NVIDIA's own licence; comes with CUDA builds of torch only and is not redistributed by us",
    "cuda": "NVIDIA's own licence; comes with CUDA builds of torch only and is not redistributed by us",
    "triton": "MIT, which its wheel does not say",
    "tunesmith": "this program",
}


def licence_of(distribution: Distribution) -> str:
    """What the package says about itself, the most precise statement first."""
    metadata = distribution.metadata
    expression = str(metadata["License-Expression"] or "") if "License-Expression" in metadata else ""
    if expression:
        return expression
    classifiers = [c.rsplit(" :: ", 1)[-1] for c in metadata.get_all("Classifier") or [] if c.startswith("License ::")]
    precise = [c for c in classifiers if c != "OSI Approved"]
    if precise:
        return " / ".join(precise)
    plain = str(metadata["License"] or "") if "License" in metadata else ""
    return plain.strip().split("\n")[0][:100]


def refusal(name: str, licence: str) -> str | None:
    """Why this package may not be here; None when it may."""
    if any(name.lower().replace("_", "-").startswith(prefix) for prefix in EXCEPTIONS):
        return None
    alternatives = re.split(r"\s+OR\s+", licence)
    without_lesser = [
        re.sub(r"LGPL[^\s]*|GNU Lesser General Public", "Lesser", choice, flags=re.I) for choice in alternatives
    ]
    if any(FINE.search(choice) and not REFUSED.search(choice) for choice in without_lesser):
        return None
    return f"{name}: {licence or 'no licence stated'}"


def main() -> int:
    """Print what is refused; 1 when something is."""
    refused = sorted(
        {why for d in distributions() if (why := refusal(d.metadata["Name"] or "?", licence_of(d))) is not None}
    )
    for why in refused:
        print(f"licence not on the allow-list: {why}")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
