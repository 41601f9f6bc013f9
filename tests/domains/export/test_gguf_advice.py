"""What is recommended, and what the free memory changes about it."""

from __future__ import annotations

import pytest

from tunesmith.domains.export.gguf_advice import method_table, recommend


@pytest.mark.parametrize(
    ("size", "method"),
    [
        (50.0, "Q2_K"),
        (49.99, "Q3_K"),
        (30.0, "Q3_K"),
        (15.0, "Q4_0"),
        (8.0, "Q4_K"),
        (4.0, "Q5_K"),
        (1.0, "Q6_K"),
        (0.01, "Q8_0"),
    ],
)
def test_borders_belong_to_the_larger_side(size: float, method: str) -> None:
    assert recommend(size, 1000.0).method == method


def test_free_memory_puts_what_fits_first_and_says_so() -> None:
    found = recommend(14.0, 4.0)
    assert (found.method, found.fits_in_memory, found.memory_considered) == ("Q4_K", False, True)
    assert "Q3_K would fit" in found.reason or "Q2_K would fit" in found.reason
    fits = [alternative.fits_in_memory for alternative in found.alternatives]
    assert fits == sorted(fits, reverse=True)
    assert any(fits)
    assert not all(fits)
    assert "No method fits" in recommend(14.0, 0.5).reason
    assert recommend(14.0, None).memory_considered is False


def test_five_bits_have_their_older_form_as_the_alternative() -> None:
    assert recommend(5.0, 100.0).alternatives[0].method == "Q5_0"


def test_sizes_follow_the_bits() -> None:
    table = {entry.name: entry for entry in method_table(14.0).methods}
    assert table["F16"].estimated_size_gb == 14.0
    assert table["F32"].estimated_size_gb == 28.0
    assert table["Q4_K"].writes == "Q4_K_M"
    assert table["Q3_K"].variants == ["Q3_K_S", "Q3_K_M", "Q3_K_L"]
    assert table["Q2_K"].estimated_size_gb < table["Q4_0"].estimated_size_gb < table["Q8_0"].estimated_size_gb
