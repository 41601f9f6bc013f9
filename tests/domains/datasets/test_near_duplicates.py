"""Near duplicates against brute force over all pairs, with a second, slow implementation of what is compared."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.domains.datasets.duplicates import Clusters, NearDuplicates, Stopped, cluster_near_duplicates, join
from tunesmith.domains.datasets.duplicates.likeness import jaccard
from tunesmith.domains.datasets.duplicates.sets_on_disk import SetsOnDisk
from tunesmith.domains.datasets.duplicates.shingles import token_sets
from tunesmith.domains.datasets.duplicates.signatures import MinHashes

HANGUL = re.compile("[가-힣]+|[^가-힣]+")


def slow_tokens(text: str) -> frozenset[str]:
    """Words of the normalised text; of Hangul, the pairs of letters of each word."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    words = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded).split()
    tokens: set[str] = set()
    for piece in (piece for word in words for piece in HANGUL.findall(word)):
        if "가" <= piece[0] <= "힣" and len(piece) > 1:
            tokens.update(piece[at : at + 2] for at in range(len(piece) - 1))
        else:
            tokens.add(piece)
    return frozenset(tokens)


def slow_jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0


def near_pairs(texts: Sequence[str], threshold: float) -> set[tuple[int, int]]:
    sets = [slow_tokens(text) for text in texts]
    pairs = combinations(range(len(texts)), 2)
    return {(a, b) for a, b in pairs if sets[a] and slow_jaccard(sets[a], sets[b]) >= threshold}


def clustered(texts: Sequence[str], threshold: float, folder: Path) -> Clusters:
    return cluster_near_duplicates(enumerate(texts), threshold=threshold, folder=folder)


def components(pairs: set[tuple[int, int]], count: int) -> set[frozenset[int]]:
    of = {number: {number} for number in range(count)}
    for a, b in pairs:
        if of[a] is not of[b]:
            of[a] |= of[b]
            for number in of[b]:
                of[number] = of[a]
    return {frozenset(members) for members in of.values() if len(members) > 1}


def as_sets(clusters: Clusters) -> set[frozenset[int]]:
    groups = [clusters.text[clusters.cluster == number].tolist() for number in range(clusters.count)]
    return {frozenset(group) for group in groups}


def varied_texts(count: int, words: int, seed: int) -> list[str]:
    """Texts of which many are copies of others with some words replaced."""
    chance = random.Random(seed)
    texts: list[str] = []
    for _ in range(count):
        if texts and chance.random() < 0.5:
            text = chance.choice(texts).split()
            for _ in range(chance.randrange(max(2, len(text) // 3))):
                text[chance.randrange(len(text))] = f"w{chance.randrange(400)}"
        else:
            text = [f"w{chance.randrange(400)}" for _ in range(chance.randint(1, words))]
        texts.append(" ".join(text))
    return texts


WORDS = st.sampled_from(
    ["배는", "배가", "정오에", "떠납니다", "the", "THE", "ferry", "Ｆ", "é", "e\u0301", "수", "!", "…", "7"]
)
LETTERS = st.characters(max_codepoint=0x0DFF) | st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
TEXTS = st.lists(st.lists(WORDS, max_size=12).map(" ".join) | st.text(LETTERS, max_size=8), max_size=25)


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, threshold=st.sampled_from([0.5, 0.6, 0.8, 0.95, 1.0]))
def test_clusters_are_what_all_pairs_say(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], threshold: float
) -> None:
    found = clustered(texts, threshold, tmp_path_factory.mktemp("near"))
    sets = [slow_tokens(text) for text in texts]
    assert len(token_sets(texts).tokens) == sum(map(len, sets))
    assert as_sets(found) == components(near_pairs(texts, threshold), len(texts))
    for text, like, value in zip(found.text, found.like, found.like_similarity, strict=True):
        assert text != like
        assert value == slow_jaccard(sets[text], sets[like]) >= threshold


@pytest.mark.parametrize("threshold", [0.8, 0.85, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("words", [6, 30, 200])
def test_pigeonholes_lose_no_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threshold: float, words: int
) -> None:
    monkeypatch.setattr(join, "ALL_WITH_ALL_BELOW", 0)
    texts = varied_texts(400, words, seed=words)
    found = clustered(texts, threshold, tmp_path)
    assert found.is_exact
    assert as_sets(found) == components(near_pairs(texts, threshold), len(texts))


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8])
def test_minhash_finds_what_it_promises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threshold: float) -> None:
    monkeypatch.setattr(join, "ALL_WITH_ALL_BELOW", 0)
    monkeypatch.setattr(join, "EXACT_BELOW", {})
    texts = varied_texts(600, 60, seed=3)
    found = clustered(texts, threshold, tmp_path)
    cluster_of = dict(zip(found.text.tolist(), found.cluster.tolist(), strict=True))
    pairs = near_pairs(texts, threshold)
    together = sum(cluster_of.get(a, -1) == cluster_of.get(b, -2) for a, b in pairs)
    assert not found.is_exact
    assert together >= 0.995 * len(pairs) > 100
    assert (found.like_similarity >= threshold).all()
    bands = MinHashes.for_threshold(threshold)
    assert 1 - (1 - threshold**bands.rows) ** bands.bands >= 0.995


def filled_templates(count: int, slots: int, seed: int) -> list[str]:
    """Three long patterns with a few words that change: most pairs of one pattern are near the threshold."""
    chance = random.Random(seed)
    patterns = [[f"word{n}" for n in range(start, start + 60)] for start in (0, 30, 90)]
    return [
        " ".join([*chance.choice(patterns), *(f"v{slot}_{chance.randrange(12)}" for slot in range(slots))])
        for _ in range(count)
    ]


@pytest.mark.parametrize(("threshold", "slots"), [(0.97, 1), (0.95, 2), (0.93, 3), (0.9, 4), (0.8, 7)])
@pytest.mark.parametrize("signed", [True, False])
def test_large_groups_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threshold: float, slots: int, signed: bool
) -> None:
    if signed:
        monkeypatch.setattr(join, "ALL_WITH_ALL_BELOW", 0)
    texts = filled_templates(300, slots, seed=slots)
    found = clustered(texts, threshold, tmp_path)
    assert (found.is_exact, found.pairs_left_out) == (True, 0)
    assert as_sets(found) == components(near_pairs(texts, threshold), len(texts))


def test_groups_that_are_too_large_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "_MOST_IN_GROUP", 100)
    found = clustered(filled_templates(300, 3, seed=5), 0.95, tmp_path)
    assert not found.is_exact
    assert found.pairs_left_out > 10_000
    assert (found.like_similarity >= 0.95).all()


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("signed", [True, False])
def test_the_nearest_on_the_other_side_is_the_one_that_all_pairs_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threshold: float, signed: bool
) -> None:
    if signed and threshold >= 0.8:
        monkeypatch.setattr(join, "ALL_WITH_ALL_BELOW", 0)
    texts = [*varied_texts(250, 25, seed=2), *filled_templates(80, 5, seed=2), "", "!"]
    random.Random(1).shuffle(texts)
    side = np.arange(len(texts), dtype=np.uint8) % 3 // 2
    sets = [slow_tokens(text) for text in texts]
    with NearDuplicates(tmp_path) as near:
        for number, text in enumerate(texts):
            near.add(number, text)
        found = near.nearest_across(side, threshold)
    expected = []
    for one in range(len(texts)):
        others = [(slow_jaccard(sets[one], sets[at]), -at) for at in range(len(texts)) if side[at] != side[one]]
        best, at = max(others)
        expected.append((-at, best) if best >= threshold else (-1, 0.0))
    assert list(zip(found.place.tolist(), found.similarity.tolist(), strict=True)) == expected
    assert sum(place >= 0 for place, _ in expected) > 20
    assert found.is_exact


def test_korean_is_compared_by_pairs_of_letters_and_other_words_by_word(tmp_path: Path) -> None:
    noon = "해담 여객선은 매일 정오에 북항 제2부두를 떠나 섬까지 두 시간 사십 분 동안 운항합니다"
    particle = noon.replace("여객선은", "여객선이")
    other = "구명조끼는 객실 의자 아래에 있으며 승무원의 안내에 따라 착용해 주시기 바랍니다"
    found = clustered([noon, other, particle, "!" + noon.upper() + " ~"], 0.8, tmp_path)
    assert as_sets(found) == {frozenset({0, 2, 3})}
    assert found.similarity.tolist() == [1.0, slow_jaccard(slow_tokens(noon), slow_tokens(particle)), 1.0]
    assert 0.9 < found.similarity[1] < 1
    decomposed = clustered([noon, unicodedata.normalize("NFD", noon)], 1.0, tmp_path)
    assert as_sets(decomposed) == {frozenset({0, 1})}
    assert as_sets(clustered(["cats run", "cat runs"], 0.5, tmp_path)) == set()


def test_ten_thousand_identical_rows_are_one_cluster(tmp_path: Path) -> None:
    found = clustered(["The same thing."] * 10_000 + ["Another one entirely."], 0.95, tmp_path)
    assert (found.count, found.sizes().tolist()) == (1, [10_000])
    assert found.like.tolist() == [1] + [0] * 9_999


def test_texts_without_words_are_no_duplicates(tmp_path: Path) -> None:
    found = clustered(["", "", "!!!", "—", "\ud800", "one", "ONE."], 0.5, tmp_path)
    assert as_sets(found) == {frozenset({5, 6})}
    assert clustered([], 0.95, tmp_path).count == 0


def test_chains_hang_together_and_each_names_a_near_one(tmp_path: Path) -> None:
    texts = [" ".join(f"w{n}" for n in range(start, start + 20)) for start in range(5)]
    found = clustered(texts, 0.9, tmp_path)
    assert as_sets(found) == {frozenset(range(5))}
    assert found.similarity.tolist() == [1.0, 19 / 21, 18 / 22, 17 / 23, 16 / 24]
    assert (found.like_similarity == 19 / 21).all()


def test_a_stop_ends_the_work_and_leaves_no_file(tmp_path: Path) -> None:
    with NearDuplicates(tmp_path) as near:
        for number, text in enumerate(varied_texts(50, 20, seed=1)):
            near.add(number, text)
        with pytest.raises(Stopped):
            near.clusters(0.9, lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_jaccard_of_many_pairs_is_exact(tmp_path: Path) -> None:
    texts = varied_texts(300, 40, seed=9)
    slow = [slow_tokens(text) for text in texts]
    with SetsOnDisk(tmp_path / "tokens") as sets:
        for text in texts:
            sets.add(text)
        sets.complete()
        chance = np.random.default_rng(4)
        a, b = chance.integers(0, 300, 9000), chance.integers(0, 300, 9000)
        found = jaccard(sets, a, b)
    assert found.tolist() == [slow_jaccard(slow[x], slow[y]) for x, y in zip(a, b, strict=True)]


PROGRAM = """
import sys
from pathlib import Path
from tunesmith.domains.datasets.duplicates.shingles import token_sets
print(token_sets(["배는 정오에 항구를 떠납니다", "The ferry, at 7!", ""]).tokens.tolist())
"""


def test_tokens_are_the_same_in_every_process() -> None:
    seen = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1
    assert len(seen.pop()) > 100


def test_a_very_long_text_is_compared_as_a_whole(tmp_path: Path) -> None:
    words = [f"word{n % 9000}x{n % 7}" for n in range(60_000)]
    long = " ".join(words)
    assert len(long) > 1 << 18
    (sets,) = [token_sets([long, "one more"])]
    assert sets.sizes.tolist() == [len(set(words)), 2]
    found = clustered([long, long.replace("word1x1", "else"), "one more"], 0.95, tmp_path)
    assert as_sets(found) == {frozenset({0, 1})}
    assert found.similarity[1] == slow_jaccard(slow_tokens(long), slow_tokens(long.replace("word1x1", "else")))
    glued = "배" * 300_000
    assert token_sets([glued, "", "배는"]).sizes.tolist() == [1, 0, 1]
