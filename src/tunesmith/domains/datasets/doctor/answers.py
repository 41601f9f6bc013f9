"""What one answer shows by itself: phrases of a chat service, another language than the question's, leftovers of a web page, loops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tunesmith.domains.datasets.doctor.checked import CheckedRow, Turn
from tunesmith.domains.datasets.languages import language_of, sure_language_of
from tunesmith.domains.datasets.pii import excerpt, shown
from tunesmith.domains.datasets.readers import Fault

ENOUGH_LETTERS = 20
"""A language is told from this many characters on."""
MIXED_LATIN = 0.3
"""More Latin letters than this in an answer, and it is not foreign to a question in Latin letters."""
PURE_LATIN = 0.95
LOOP_WORDS = 40
LOOP_SHARE = 0.12
"""Of many words, at most this share are different."""
UNKNOWN = frozenset({"none", "other", "latin"})
_LATIN = frozenset({"en", "de", "fr", "es", "pt", "it", "vi"})
_BOILERPLATE = re.compile(
    r"as an? (?:ai|artificial intelligence)(?: language)? (?:model|assistant)|as a large language model|i(?:'m| am) an ai language model"
    r"|my knowledge cutoff|my training data (?:only )?goes|regenerate response"
    r"|(?:저는|나는) (?:ai|인공지능)(?: 언어)? ?(?:모델|어시스턴트|이기|이라|로서|입니다)|(?:ai|인공지능)(?: 언어)? 모델(?:로서|이기|이라)"
    r"|죄송하지만,? 저는 (?:ai|인공지능)",
    re.IGNORECASE,
)
_BOILERPLATE_HINT = re.compile(
    "language model|knowledge cutoff|training data|regenerate|an ai |ai|인공지능", re.IGNORECASE
)
_ASKS_LANGUAGE = re.compile(
    r"translat|in (?:english|korean|japanese|chinese|german|french|spanish)|\benglish\b|\bkorean\b|번역|통역|영작|영어|한국어|국어로"
    r"|일본어|중국어|독일어|프랑스어|스페인어|翻訳|翻译|日本語|英語|中文|韓国語",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"&(?:nbsp|amp|lt|gt|quot|apos|#\d{2,5}|#x[0-9a-f]{2,5});|</?(?:p|br|div|span|li|ul|td|tr|table|font|strong)(?: [^<>]{0,200})?/?>",
    re.IGNORECASE,
)
_ASKS_MARKUP = re.compile(r"html|<|&|markup|웹|태그|xml|markdown", re.IGNORECASE)
_RUN = re.compile(r"([!?,;:…·~ㄱ-ㅣ가-힣ぁ-ゖァ-ヺ])\1{14,}")
_NOTHING = frozenset(
    {
        "n/a", "na", "none", "null", "nan", "nil", "tbd", "todo", "unknown", "undefined", "no answer", "i don't know", "idk",
        "없음", "해당 없음", "해당없음", "미정", "모름", "모르겠습니다", "모르겠어요", "답변 없음",
    }
)  # fmt: skip
_WORD_SPACE = re.compile(r"\s+")


class Traits(NamedTuple):
    """What is remembered of a row, to be compared with all others."""

    language: str
    characters: int
    opening: str
    answer: str
    """The whole answer where it is short, as a label is; else empty."""


OPENING_WORDS = 6
LABEL_CHARACTERS = 40


def answer_of(checked: CheckedRow) -> Turn | None:
    """The last answer of a row; for a pair the chosen one."""
    if not checked.answers:
        return None
    turns = checked.turns[len(checked.turns) - checked.answers :]
    return turns[0] if turns and turns[0].role == "assistant" else None


def traits_of(checked: CheckedRow) -> Traits | None:
    """What is remembered of a row; None where nothing is answered."""
    answer = answer_of(checked)
    if answer is None:
        return None
    text = answer.text.strip()
    opening = " ".join(text[:200].split(None, OPENING_WORDS)[:OPENING_WORDS])
    return Traits(
        sure_language_of(text) if len(text) >= ENOUGH_LETTERS else "none",
        len(text),
        opening if len(opening) < len(text) else "",
        text.lower() if len(text) <= LABEL_CHARACTERS else "",
    )


def answer_faults(checked: CheckedRow, traits: Traits | None) -> Iterator[Fault]:
    """What looks wrong with the answers of a row."""
    asked = next((turn.text for turn in reversed(checked.prompt) if turn.role == "user"), "")
    for turn in checked.turns:
        if turn.role == "assistant":
            yield from _of_text(turn.text, asked, turn.pointer)
    answer = answer_of(checked)
    if answer is None or traits is None or not asked:
        return
    if (fault := _other_language(asked, answer, traits.language)) is not None:
        yield fault


def _of_text(text: str, asked: str, pointer: str) -> Iterator[Fault]:
    if _BOILERPLATE_HINT.search(text) and (hit := _BOILERPLATE.search(text)):
        message = "The answer speaks as the chat service that it was copied from."
        yield Fault("boilerplate", message, "an answer in your own words", excerpt(text, hit.start()), pointer)
    has_code = "```" in text
    if (
        ("<" in text or "&" in text)
        and not has_code
        and (hit := _MARKUP.search(text))
        and not _ASKS_MARKUP.search(asked)
    ):
        message = f"The answer holds {shown(hit.group(), 40)}, a leftover of a web page."
        yield Fault("markup-leftover", message, "plain text", excerpt(text, hit.start()), pointer)
    if (run := _RUN.search(text)) is not None:
        message = f"The answer repeats {shown(run.group(1))} {len(run.group())} times in a row."
        yield Fault("repetition", message, "a text", excerpt(text, run.start()), pointer)
    elif not has_code and (loop := _loop(text)) is not None:
        message = f"The answer repeats itself: {loop[1]} words, of which {loop[0]} are different."
        yield Fault("repetition", message, "a text", shown(text, 60), pointer)
    bare = _WORD_SPACE.sub(" ", text.strip().strip(".!-").lower())
    if text.strip() and (bare in _NOTHING or (text.isascii() and not any(map(str.isalnum, text)))):
        yield Fault("says-nothing", "The answer says nothing.", "an answer", shown(text, 40), pointer)


def _loop(text: str) -> tuple[int, int] | None:
    """How many words are different and how many there are, when a text goes round in circles."""
    if len(text) < 2 * LOOP_WORDS:
        return None
    words = text.split(None, 2000)[:2000]
    if len(words) < LOOP_WORDS:
        return None
    different = len(set(words))
    return (different, len(words)) if different <= LOOP_SHARE * min(len(words), 400) else None


def _other_language(asked: str, answer: Turn, language: str) -> Fault | None:
    """An answer in a script of its own, where the question asks for no other language."""
    if language in UNKNOWN or len(asked) < ENOUGH_LETTERS // 2 or "```" in answer.text:
        return None
    wanted = language_of(asked)
    if wanted in UNKNOWN or wanted == language or {wanted, language} <= _LATIN or _ASKS_LANGUAGE.search(asked):
        return None
    latin = _latin_share(answer.text)
    is_mixed = latin > MIXED_LATIN if wanted in _LATIN else latin < PURE_LATIN and language in _LATIN
    if is_mixed or (language in _LATIN and len(answer.text.split(None, 8)) < 8):  # a name or a term
        return None
    message = f"The question is in {NAMES.get(wanted, wanted)} and the answer in {NAMES.get(language, language)}."
    return Fault("answer-language", message, NAMES.get(wanted, wanted), NAMES.get(language, language), answer.pointer)


def _latin_share(text: str) -> float:
    letters = [character for character in text[:400] if character.isalpha()]
    return sum(character < "ɐ" for character in letters) / max(1, len(letters))


NAMES = {
    "ko": "Korean", "en": "English", "ja": "Japanese", "zh": "Chinese", "ru": "Russian", "ar": "Arabic", "hi": "Hindi",
    "th": "Thai", "el": "Greek", "he": "Hebrew", "de": "German", "fr": "French", "es": "Spanish", "pt": "Portuguese",
    "it": "Italian", "vi": "Vietnamese",
}  # fmt: skip
