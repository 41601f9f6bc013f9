"""The prompts that every certificate asks besides those of the version's own data: both languages, code, emoji, white space."""

from __future__ import annotations

from typing import Any

Messages = list[dict[str, Any]]

_SINGLE = (
    "Hello! Who are you?",
    "안녕하세요! 당신은 누구인가요?",
    "What is the capital of Korea?",
    "대한민국의 수도는 어디인가요?",
    "Name three colours.",
    "색깔 세 가지를 말해 주세요.",
    "2 + 3 = ?",
    "17에서 8을 빼면 얼마인가요?",
    "When does the shop open?",
    "가게는 몇 시에 여나요?",
    "Write a short poem about the sea.",
    "바다에 대한 짧은 시를 써 주세요.",
    "How do I reset my password?",
    "비밀번호를 어떻게 바꾸나요?",
    "def add(a, b):\n    return",
    "Fix this: for i in range(10) print(i)",
    "🙂🚀 What do these mean?",
    "ㅋㅋㅋ 이게 무슨 뜻이야? 😂",
    "  leading   and trailing spaces  ",
    "line one\n\nline two\n\tindented",
    "Translate to Korean: good morning",
    "영어로 번역해 주세요: 좋은 아침입니다",
    'Quote: "it\'s 50% off — €9.99!"',
    "전화번호는 02-1234-5678이고 가격은 12,000원입니다.",
    "List the days of the week.",
    "일주일의 요일을 말해 주세요.",
)

_CONVERSATIONS = (
    ("Remember the number 7.", "I will.", "Which number was it?"),
    ("제 이름은 민수예요.", "반가워요, 민수 씨.", "제 이름이 뭐라고 했죠?"),
    ("Hi", "Hello! How can I help?", "Where can I find the menu?"),
    ("안녕", "안녕하세요! 무엇을 도와드릴까요?", "영업 시간이 궁금해요."),
    ("Is water wet?", "Opinions differ.", "What is yours?\n"),
    ("김치는 어떻게 만들어요?", "배추를 절이고 양념을 버무려요.", "얼마나 익혀요? 🌶️"),
)

BUILT_IN: tuple[Messages, ...] = (
    *([{"role": "user", "content": text}] for text in _SINGLE),
    *(
        [
            {"role": "user", "content": first},
            {"role": "assistant", "content": answer},
            {"role": "user", "content": second},
        ]
        for first, answer, second in _CONVERSATIONS
    ),
)
"""Thirty-two of them."""

SHORT: tuple[Messages, ...] = tuple(
    [{"role": "user", "content": text}] for text in (*"0123456789abcdefghijk", *"가나다라마바사아자차카")
)
"""Thirty-two that a model with a tiny context has room for."""
