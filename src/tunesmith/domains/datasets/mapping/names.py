"""What people call the parts of an example, in English and Korean."""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from enum import StrEnum

EXACT, WORD, NEAR = 1.0, 0.85, 0.75
MIN_LIKENESS = 0.84


class Part(StrEnum):
    """What a column may be."""

    QUESTION = "question"
    INSTRUCTION = "instruction"
    PROMPT = "prompt"
    ANSWER = "answer"
    CONTEXT = "context"
    SYSTEM = "system"
    CHOSEN = "chosen"
    REJECTED = "rejected"
    LABEL = "label"
    TEXT = "text"


NAMES: dict[Part, tuple[str, ...]] = {
    Part.QUESTION: (
        "question", "query", "q", "problem", "inquiry", "ask",
        "질문", "문의", "질의", "물음", "문제", "질문내용", "문의내용", "고객질문",
    ),
    Part.INSTRUCTION: ("instruction", "instructions", "task", "command", "지시", "지시문", "지시사항", "명령", "명령어", "과제"),
    Part.PROMPT: ("prompt", "input", "user", "human", "request", "source", "프롬프트", "입력", "입력문", "사용자", "요청"),
    Part.ANSWER: (
        "answer", "response", "completion", "output", "reply", "target", "assistant", "bot", "solution", "gpt", "a",
        "답변", "답", "응답", "대답", "출력", "정답", "해답", "회신", "완성", "답변내용", "응답내용", "출력문", "상담원답변",
    ),
    Part.CONTEXT: ("context", "passage", "background", "reference", "문맥", "배경", "지문", "참고", "맥락", "근거"),
    Part.SYSTEM: ("system", "systemprompt", "시스템", "시스템프롬프트"),
    Part.CHOSEN: (
        "chosen", "preferred", "accepted", "winner", "better", "goodanswer", "betteranswer", "bestanswer", "선택", "선호", "채택",
        "좋은답변", "선택답변", "선호답변", "좋은답", "더좋은답", "나은답", "더나은답", "나은답변", "고른답", "좋은응답", "좋은대답",
    ),
    Part.REJECTED: (
        "rejected", "dispreferred", "loser", "worse", "badanswer", "worseanswer", "거절", "비선호", "기각",
        "나쁜답변", "거절답변", "비선호답변", "나쁜답", "더나쁜답", "못한답", "더못한답", "틀린답", "버린답", "나쁜응답", "나쁜대답",
    ),
    Part.LABEL: ("label", "desirable", "isgood", "good", "liked", "thumbsup", "라벨", "레이블", "좋음", "만족"),
    Part.TEXT: ("text", "content", "body", "document", "article", "sentence", "텍스트", "본문", "내용", "문장", "글", "원문"),
}  # fmt: skip
CONVERSATION_NAMES = frozenset(
    {"messages", "conversations", "conversation", "dialog", "dialogue", "chat", "turns", "대화"}
)
_WORDS = re.compile(r"[a-z]+|[가-힣]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@functools.lru_cache(maxsize=4096)
def likeness(column: str, part: Part) -> float:
    """How much a column's name says that it is ``part``: 1 its very name, 0 nothing."""
    words = _WORDS.findall(_CAMEL.sub(" ", unicodedata.normalize("NFC", column)).lower())
    whole = "".join(words)
    if whole in NAMES[part]:
        return EXACT
    long_enough = [name for name in NAMES[part] if len(name) > 1]
    if words and (words[-1] in long_enough or words[0] in long_enough):
        return WORD
    if any(name[0] >= "가" and whole.endswith(name) for name in long_enough):
        return WORD  # Korean compounds have no space: 자주묻는질문
    return NEAR if len(whole) > 3 and difflib.get_close_matches(whole, long_enough, 1, MIN_LIKENESS) else 0.0
