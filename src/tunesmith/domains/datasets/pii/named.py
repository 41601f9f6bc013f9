"""Names and addresses, which no rule finds: Presidio with a spaCy model of the user's choice. Needs the extra `pii`.

Nothing is downloaded: the model is a package that is installed or a folder. Presidio's own recognizers of numbers are not used
(its e-mail recognizer asks the network for a list of domains); `finding.py` stays responsible for those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tunesmith.domains.datasets.errors import PiiExtraMissingError, PiiModelMissingError
from tunesmith.domains.datasets.pii.applying import FindPii
from tunesmith.domains.datasets.pii.entities import Entity, PiiHit
from tunesmith.domains.datasets.pii.finding import find_pii, without_overlaps
from tunesmith.settings import DatasetSettings

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

BLANK = "blank"
"""Instead of a pipeline: none."""
_KOREAN_ADDRESS = (
    r"(?:[가-힣]{1,6}(?:특별자치시|특별자치도|특별시|광역시|도|시)\s)?(?:[가-힣]{1,6}(?:시|군|구)\s){1,2}"
    r"[가-힣0-9]{1,12}(?:로|길|동|읍|면|리)\s?\d{1,5}(?:-\d{1,4})?(?:번지|번길\s?\d{1,4})?"
)
_KINDS = {
    "PERSON": Entity.PERSON,
    "LOCATION": Entity.ADDRESS,
    "KOREAN_ADDRESS": Entity.ADDRESS,
    "KNOWN_NAME": Entity.PERSON,
}


def pii_finder(limits: DatasetSettings) -> FindPii:
    """What finds personal data: the rules, and with ``names_model`` names and addresses too. Loading that takes seconds.

    Raises PiiExtraMissingError and PiiModelMissingError.
    """
    if limits.names_model is None:
        return find_pii
    return NamedPii(limits.names_model, names=limits.known_names).find


class NamedPii:
    """Finds names and addresses beside all that ``find_pii`` finds; ``find`` has its shape.

    ``model`` is the name or the folder of a spaCy pipeline with entities (ko_core_news_lg, en_core_web_sm); with ``blank`` only
    ``names`` that are listed and addresses of Korean shape are found. Raises PiiExtraMissingError and PiiModelMissingError.
    """

    def __init__(self, model: str, *, names: Iterable[str] = ()) -> None:
        self._analyzer = _analyzer(model, sorted(names))
        (self._language,) = self._analyzer.supported_languages

    def find(self, text: str, field: str = "") -> list[PiiHit]:
        """Personal data of every kind, by place."""
        results = self._analyzer.analyze(text, language=self._language, entities=list(_KINDS))
        named = [PiiHit(_KINDS[r.entity_type], r.start, r.end, round(r.score, 2)) for r in results]
        return without_overlaps([*find_pii(text, field), *named])


def _analyzer(model: str, names: list[str]) -> AnalyzerEngine:
    try:
        from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
        from presidio_analyzer.predefined_recognizers import SpacyRecognizer
    except ImportError as error:
        raise PiiExtraMissingError("Names and addresses are found with Presidio, which is not installed.") from error
    engine, pipeline = SpacyNlpEngine(), _pipeline(model)
    language: str = pipeline.lang
    engine.nlp = {language: pipeline}
    registry = RecognizerRegistry(supported_languages=[language])
    registry.add_recognizer(SpacyRecognizer(supported_language=language))
    shape = Pattern("road or lot", _KOREAN_ADDRESS, 0.7)
    registry.add_recognizer(PatternRecognizer("KOREAN_ADDRESS", patterns=[shape], supported_language=language))
    if names:
        listed = PatternRecognizer("KNOWN_NAME", deny_list=names, supported_language=language, deny_list_score=0.9)
        # A name is followed by a particle: the usual border of a word would hide it.
        listed.patterns = [Pattern("listed", "|".join(map(_literal, names)), 0.9)]
        registry.add_recognizer(listed)
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])


def _literal(name: str) -> str:
    escaped = re.escape(name)
    return escaped if not name.isascii() else f"(?<![A-Za-z]){escaped}(?![A-Za-z])"


def _pipeline(model: str) -> Any:
    import spacy

    if model == BLANK:
        return spacy.blank("xx")  # of no language: the Korean one wants a morphological analyser
    try:
        return spacy.load(model)
    except OSError as error:
        raise PiiModelMissingError(f"There is no spaCy model {model!r}.") from error
