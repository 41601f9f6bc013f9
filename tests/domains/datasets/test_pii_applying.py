"""What is done with personal data: masked, redacted, pseudonymised or dropped, in every text of a row."""

from __future__ import annotations

import copy
import json
import re
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.data_pii import LABELLED, read_labelled
from tests.domains.datasets.test_pii import TEXTS
from tunesmith.domains.datasets.errors import PiiExtraMissingError
from tunesmith.domains.datasets.pii import Entity, PiiAction, PiiTally, Pseudonyms, apply_pii, find_pii, mask
from tunesmith.domains.datasets.pii.checksums import (
    birth_date,
    passes_business,
    passes_iban,
    passes_luhn,
    passes_resident,
)
from tunesmith.domains.datasets.pii.named import NamedPii
from tunesmith.domains.datasets.pii.permutation import permute

ALL = list(Entity)
SALT = b"sixteen bytes or more"
ROW = {
    "messages": [
        {"role": "user", "content": "메일은 kim@naver.com이고 전화는 010-2345-6789예요"},
        {"role": "assistant", "content": "kim@naver.com, 010 2345 6789 맞나요?"},
    ],
    "계좌번호": "110-123-456789",
    "a/b~c": ["주민 900101-1234568", 7, None, True],
}


def each(action: PiiAction) -> dict[Entity, PiiAction]:
    return dict.fromkeys(ALL, action)


def test_masked() -> None:
    before = copy.deepcopy(ROW)
    applied = apply_pii(ROW, each(PiiAction.MASK))
    assert applied.value == {
        "messages": [
            {"role": "user", "content": "메일은 k***@***.com이고 전화는 010-****-****예요"},
            {"role": "assistant", "content": "k***@***.com, 010 **** **** 맞나요?"},
        ],
        "계좌번호": "110-***-******",
        "a/b~c": ["주민 ******-*******", 7, None, True],
    }
    assert [(pointer, entity.value) for pointer, entity in applied.changes] == [
        ("/messages/0/content", "email"),
        ("/messages/0/content", "phone"),
        ("/messages/1/content", "email"),
        ("/messages/1/content", "phone"),
        ("/계좌번호", "bank_account"),
        ("/a~1b~0c/0", "rrn"),
    ]
    assert before == ROW
    assert not applied.is_dropped


def test_each_kind_has_its_own_action_and_others_stay() -> None:
    actions = {Entity.EMAIL: PiiAction.REDACT, Entity.RRN: PiiAction.REDACT}
    value = apply_pii(ROW, actions).value
    assert value["messages"][0]["content"] == "메일은 [EMAIL]이고 전화는 010-2345-6789예요"
    assert (value["a/b~c"][0], value["계좌번호"]) == ("주민 [RRN]", "110-123-456789")


def test_dropped_rows_and_the_summary() -> None:
    tally = PiiTally()
    actions = each(PiiAction.MASK) | {Entity.RRN: PiiAction.DROP}
    for row in (ROW, "010-2345-6789", {"text": "nothing"}):
        tally.add(apply_pii(row, actions))
    assert tally.summary().model_dump() == {
        "rows": 3,
        "rows_with_pii": 2,
        "rows_dropped": 1,
        "by_entity": {"bank_account": 1, "email": 2, "phone": 3, "rrn": 1},
    }
    applied = apply_pii(ROW, actions)
    assert applied.is_dropped
    assert applied.value is ROW


def test_doubtful_hits_stay_unless_they_are_asked_for() -> None:
    text = "예시 4532-1234-5678-9010"
    assert apply_pii(text, each(PiiAction.MASK)).value == text
    assert apply_pii(text, each(PiiAction.MASK), at_least=0.2).value == "예시 4532-****-****-****"


def test_pseudonyms_need_a_salt_that_is_long_enough() -> None:
    with pytest.raises(ValueError, match="16"):
        Pseudonyms(b"short")
    with pytest.raises(ValueError, match="pseudonyms"):
        apply_pii(ROW, each(PiiAction.PSEUDONYMISE))


def test_the_same_value_has_the_same_pseudonym_everywhere_and_no_other_dataset_has_it() -> None:
    applied = apply_pii(ROW, each(PiiAction.PSEUDONYMISE), Pseudonyms(SALT)).value
    first, second = (m["content"] for m in applied["messages"])
    (mail,) = re.findall(r"[\w.]+@example\.(?:com|org|net)", first)
    (phone,) = re.findall(r"010-\d{4}-\d{4}", first)
    assert second == f"{mail}, {phone.replace('-', ' ')} 맞나요?"
    assert "kim" not in json.dumps(applied)
    assert phone != "010-2345-6789"
    assert applied == apply_pii(ROW, each(PiiAction.PSEUDONYMISE), Pseudonyms(SALT)).value
    assert applied != apply_pii(ROW, each(PiiAction.PSEUDONYMISE), Pseudonyms(SALT + b"!")).value


def test_a_phone_has_one_pseudonym_however_it_is_written() -> None:
    names = Pseudonyms(SALT)
    written = [
        "010-2345-6789",
        "01023456789",
        "+82-10-2345-6789",
        "+82 (0)10 2345 6789",
        "０１０－２３４５－６７８９",
        "0082 10-2345-6789",
    ]
    made = [names.of(Entity.PHONE, one) for one in written]
    assert len({re.sub(r"\D", "", one.translate({0xFEE0 + c: c for c in range(48, 58)}))[-8:] for one in made}) == 1
    assert [re.sub(r"\d", "#", one) for one in made] == [re.sub(r"\d", "#", one) for one in written]
    assert made[2].startswith("+82-10-")


def spans(entity: Entity) -> list[str]:
    return [row.text[a:b] for row in read_labelled(LABELLED) for kind, a, b in row.spans if kind == entity]


@pytest.mark.parametrize("entity", sorted(set(ALL) - {Entity.PERSON, Entity.ADDRESS}))
def test_pseudonyms_have_the_shape_of_the_value_and_differ(entity: Entity) -> None:
    names = Pseudonyms(SALT)
    values = spans(entity)
    made = [names.of(entity, value) for value in values]
    assert len(set(made)) == len(set(values))
    assert not set(made) & set(values)
    for value, other in zip(values, made, strict=True):
        if entity is Entity.EMAIL:
            assert found_kinds(other) == {"email"}
        elif ":" not in value or entity is not Entity.IP:
            shape = [
                re.sub(r"[^\W\d_]", "a", re.sub(r"\d+" if entity is Entity.IP else r"\d", "0", v))
                for v in (value, other)
            ]
            assert shape[0] == shape[1]


def found_kinds(text: str) -> set[str]:
    return {hit.entity.value for hit in find_pii(text) if hit.is_certain}


def test_check_digits_dates_and_networks_stay_what_they_were() -> None:
    names = Pseudonyms(SALT)

    def bare(entity: Entity, value: str) -> str:
        return re.sub(r"[- ]", "", names.of(entity, value))

    assert passes_luhn(bare(Entity.CARD, "4111-1111-1111-1111"))
    assert not passes_luhn(bare(Entity.CARD, "4532-1234-5678-9010"))
    resident = bare(Entity.RRN, "900101-1234568")
    assert passes_resident(resident)
    assert birth_date(resident) is not None
    assert resident[6] == "1"
    assert birth_date(bare(Entity.RRN, "123456-1234567")) is None
    assert passes_business(bare(Entity.BRN, spans(Entity.BRN)[0]))
    assert passes_iban(bare(Entity.IBAN, spans(Entity.IBAN)[0]))
    assert names.of(Entity.IP, "１０．０．０．７").startswith("10.")
    assert names.of(Entity.IP, "192.168.0.7").startswith("192.168.")
    assert names.of(Entity.IP, "2001:4860::8844").startswith("2001:db8:")
    assert names.of(Entity.KEY, "ghp_" + "a1" * 18).startswith("ghp_")
    pem = "-----BEGIN PRIVATE KEY-----\\nMIIB\\n-----END PRIVATE KEY-----"
    assert re.fullmatch(
        r"-----BEGIN PRIVATE KEY-----\\n[A-Z]{4}\\n-----END PRIVATE KEY-----", names.of(Entity.KEY, pem)
    )


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_permutation_is_one(length: int) -> None:
    numbers = [f"{n:0{length}}" for n in range(10**length)]
    assert sorted(permute(number, b"key", "tweak") for number in numbers) == numbers
    even = [n for n in numbers if int(n) % 2 == 0]
    assert sorted(permute(n, b"key", "tweak", lambda n: int(n) % 2 == 0) for n in even) == even


@settings(max_examples=150)
@given(st.dictionaries(st.text(max_size=5), TEXTS | st.lists(TEXTS, max_size=3) | st.integers(), max_size=4))
def test_no_certain_hit_is_left(row: dict[str, Any]) -> None:
    for action in (PiiAction.MASK, PiiAction.REDACT):
        applied = apply_pii(row, each(action))
        again = apply_pii(applied.value, each(action))
        assert again.changes == []
        assert json.dumps(applied.value) if applied.changes else applied.value == row
    assert apply_pii(row, each(PiiAction.PSEUDONYMISE), Pseudonyms(SALT)).value is not row


def test_rows_may_be_nested_deeply() -> None:
    row: Any = "010-2345-6789"
    for _ in range(50_000):
        row = [row]
    assert apply_pii(row, each(PiiAction.MASK)).changes[0].entity is Entity.PHONE


def test_names_need_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(PiiExtraMissingError, match="Presidio"):
        NamedPii("blank", names=["김민지"])


def test_masks_show_no_more_than_the_kind() -> None:
    for row in read_labelled(LABELLED):
        masked = mask(row.text)
        assert all(row.text[start:end] not in masked for _, start, end in (*row.spans, *row.low))
