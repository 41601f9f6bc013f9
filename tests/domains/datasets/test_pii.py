"""Personal data is found in sentences of many kinds, what only looks like it is not, and nothing makes the finder slow."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.data_pii import LABELLED, Labelled, read_labelled, score
from tunesmith.domains.datasets.pii import CERTAIN, Entity, find_pii, mask

HELD_OUT = LABELLED.with_name("held_out.jsonl")
RULED = set(Entity) - {Entity.PERSON, Entity.ADDRESS}


def found(text: str, field: str = "") -> list[tuple[str, str]]:
    return [(hit.entity.value, text[hit.start : hit.end]) for hit in find_pii(text, field) if hit.is_certain]


def doubtful(text: str) -> list[tuple[str, str]]:
    return [(hit.entity.value, text[hit.start : hit.end]) for hit in find_pii(text) if not hit.is_certain]


def hits_of(row: Labelled) -> list[tuple[str, int, int]]:
    return [(hit.entity.value, hit.start, hit.end) for hit in find_pii(row.text) if hit.is_certain]


@pytest.mark.parametrize(("path", "spans", "negatives", "each"), [(LABELLED, 300, 300, 20), (HELD_OUT, 150, 100, 9)])
def test_recall_and_precision_of_every_kind(path: Path, spans: int, negatives: int, each: int) -> None:
    rows = read_labelled(path)
    assert sum(len(row.spans) for row in rows) >= spans
    assert sum(row.negatives for row in rows) >= negatives
    scores = score(rows, [hits_of(row) for row in rows])
    assert scores.keys() == {entity.value for entity in RULED}
    for entity, one in scores.items():
        assert one.labelled >= each, entity
        assert one.recall >= 0.95, entity
        assert one.precision >= 0.95, entity


def test_what_only_its_shape_speaks_for_is_found_with_low_confidence() -> None:
    rows = [row for path in (LABELLED, HELD_OUT) for row in read_labelled(path)]
    low = [(row, span) for row in rows for span in row.low]
    assert len(low) >= 7
    for row, (entity, start, end) in low:
        assert (entity, row.text[start:end]) in doubtful(row.text)


@pytest.mark.parametrize("number", ["010-1234-5678", "02-1234-5678", "+82-10-1234-5678"])
@pytest.mark.parametrize(
    "sentence", ["{}", "연락처는 {}입니다.", "call {} now", '{{"tel": "{}"}}', "이름,{}\n", "전화{}로"]
)
def test_the_phones_of_the_contract_with_and_without_separators(number: str, sentence: str) -> None:
    for separator in ("-", " ", ".", ""):
        written = number.replace("-", separator)
        assert found(sentence.format(written)) == [("phone", written)]


def test_resident_numbers_are_found_by_shape_and_surer_with_a_date_and_a_check_digit() -> None:
    texts = ("123456-1234567", "900101-1234567", "900101-1234568", "201001-3000000")
    shape, dated, checked, new = (find_pii(text)[0].confidence for text in texts)
    assert CERTAIN <= shape < dated < checked
    assert new == checked  # since October 2020 there is no check digit
    assert [hit.entity for hit in find_pii("900101-5234568")] == [Entity.FRN]


def test_cards_by_luhn_and_without_it_only_as_doubtful() -> None:
    for written in (
        "5500-0000-0000-0004",
        "5500 0000 0000 0004",
        "5500000000000004",
        "378282246310005",
        "4222222222222",
    ):
        assert found(f"card {written}") == [("card", written)]
    assert (found("4532-1234-5678-9010"), doubtful("4532-1234-5678-9010")) == ([], [("card", "4532-1234-5678-9010")])


def test_the_name_of_a_field_says_what_a_bare_number_is() -> None:
    assert found("110123456789", "계좌번호") == [("bank_account", "110123456789")]
    assert found("M12345678", "passport_no") == [("passport", "M12345678")]
    assert found("M12345678", "model") == found("110123456789") == []
    assert found("kim@example.com", "kim@example.com") == [("email", "kim@example.com")]
    assert found("010-2345-6789", "-----BEGIN PRIVATE KEY-----") == [("phone", "010-2345-6789")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("TEL010-1234-5678", "010-1234-5678"),
        ("{\\n010-1234-5678}", "010-1234-5678"),
        ("1.010-1234-5678 2.", None),
        ("번호-010-1234-5678", "010-1234-5678"),
        ("call 001-400-657-1727x95", "001-400-657-1727x95"),
        ("my number is 0808 1570772", "0808 1570772"),
        ("Tel. 02 18 03 94 11", "02 18 03 94 11"),
        ("phone digits 0123456789", None),
        ("routing 021000021", None),
        ("바코드 4111508779957", None),
        ("376735437065409", "376735437065409"),
        ("\\nkim@example.com", "kim@example.com"),
        ("https://kim@example.com/", None),
        ("ssh://git@host.example.com", None),
        ("see::1 or a::b", None),
        ("x[2001::4]", None),
        ("0000 0000 0000 0000", None),
        ("형식은 전화 010-0000-0000", None),
        ("법인등록번호 110111-1234567", None),
        ("법인 대표의 주민번호 900101-1234568", "900101-1234568"),
        ("password: Tr0ub4dor&3", "Tr0ub4dor&3"),
        ('"passwd": "hunter2024",', "hunter2024"),
        ("비밀번호는 qwer1234!입니다", "qwer1234!"),
        ("비밀번호는 8자 이상, SHA-256-hash로", None),
        ("password is base64-encoded", None),
        ("password: config.password2", None),
        ("password = get_v2_secret()", None),
        ("password: changeme123", None),
        ("postgres://app:s3cr3tPw@db.example.com", "s3cr3tPw"),
        ("postgres://app:password@db.example.com", None),
        ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "npm_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("sk-some-words-with-hyphens-v2", None),
        ("-----BEGIN PRIVATE KEY-----\n" + "MIIBVgIB" * 4, "-----BEGIN PRIVATE KEY-----\n" + "MIIBVgIB" * 4),
    ],
)
def test_borders(text: str, value: str | None) -> None:
    assert [shown for _, shown in found(text)] == ([value] if value else [])


def test_the_surest_of_overlapping_hits_stays() -> None:
    text = "https://ghp_" + "Ab1Cd2Ef3Gh4" * 3 + "@github.com"
    assert [entity for entity, _ in found(text)] == ["key"]
    assert found("::ffff:203.0.113.77") == [("ip", "::ffff:203.0.113.77")]


PIECES = st.sampled_from(
    [
        *("010", "1234", "5678", "02", "+82", "82", "9001011234568", "4111111111111111", "M12345678", "DE89", "3704"),
        *(
            "kim",
            "example.com",
            "@",
            "::",
            ":",
            ".",
            "-",
            " ",
            "\n",
            "(",
            ")",
            "\\n",
            "０１０",
            "－",
            "＠",
            "계좌 ",
            "여권",
        ),
        *(
            "서울 12-345678-90",
            "AKIA",
            "ghp_",
            "eyJ",
            "sk-",
            "://",
            "-----BEGIN PRIVATE KEY-----",
            "key=",
            "은",
            "a",
            "1",
        ),
        *(
            "주민 ",
            "카드 ",
            "사업자 ",
            "ip ",
            "110-123-456789",
            "123-45-67891",
            "2001:db8",
            "127.0.0.1",
            "8.8.4.4",
            "\x00",
            "password: ",
            "Tr0ub4dor&3",
        ),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join)


@settings(max_examples=300)
@given(TEXTS)
def test_any_text_gives_hits_in_order_that_masking_takes_away(text: str) -> None:
    hits = find_pii(text)
    assert all(0 <= hit.start < hit.end <= len(text) and 0 < hit.confidence <= 1 for hit in hits)
    assert all(one.end <= other.start for one, other in pairwise(hits))
    assert hits == find_pii(text)
    masked = mask(text)
    assert find_pii(masked) == []
    assert (masked == text) == (not hits)


SLOW = [
    "1", "1 ", "1-", "0 ", "010-1234-", "010-1234-5678 ", "+1", "(", "a@", "@a.", "a.", "a-", ":", "a:", "1::", "::ffff:", "1.",
    "1.1.1.1 ", "eyJ", "eyJabcdefgh.", "-----BEGIN PRIVATE KEY-----", "- ", "sk-", "key=", "://a:", "DE89 3704 ", "DE89", "4444 ",
    "Bearer ", "M12345678", "여권 M1234567", "서울 12-", "０１０－", "계좌 110-123-456789 ", "123456-1234567 ", "A1b2", "ghp_", "가",
    "password: ", "비밀번호는 a1!",
]  # fmt: skip


@pytest.mark.parametrize("piece", SLOW)
def test_no_text_takes_more_than_linear_time(piece: str) -> None:
    """Sixteen times the text may take 80 times the time of the processor; quadratic would be 256 times."""
    before = "여권 계좌 -----BEGIN PRIVATE KEY-----://a:@eyJ "  # opens every path

    def seconds(length: int) -> float:
        text = before + piece * (length // len(piece))
        started = time.process_time()
        find_pii(text)
        return time.process_time() - started

    assert min(seconds(48_000), seconds(48_000)) < 80 * max(min(seconds(3_000), seconds(3_000)), 0.001)
