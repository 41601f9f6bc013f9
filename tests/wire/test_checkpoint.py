"""A checkpoint is whole or it is not one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.wire.checkpoint import (
    CheckpointDamaged,
    find_newest_checkpoint,
    new_checkpoint,
    sweep_leftovers,
    verify_checkpoint,
)


def save(folder: Path, step: int, content: bytes = b"weights") -> Path:
    target = folder / f"step-{step:06d}"
    with new_checkpoint(target, step) as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "state.json").write_bytes(b"{}")
        (temporary / "weights.bin").write_bytes(content)
    return target


def test_a_saved_checkpoint_verifies_and_knows_its_files(tmp_path: Path) -> None:
    manifest = verify_checkpoint(save(tmp_path, 7))
    assert manifest.step == 7
    assert set(manifest.files) == {"weights.bin", "inner/state.json"}
    assert manifest.size_bytes == len(b"weights") + 2


@pytest.mark.parametrize("damage", ["other bytes", "shorter", "missing", "no manifest", "broken manifest"])
def test_damage_is_found_and_named(tmp_path: Path, damage: str) -> None:
    folder = save(tmp_path, 7)
    victim = folder / "weights.bin"
    match damage:
        case "other bytes":
            victim.write_bytes(b"weightS")
        case "shorter":
            victim.write_bytes(b"weight")
        case "missing":
            victim.unlink()
        case "no manifest":
            (folder / "manifest.json").unlink()
        case _:
            (folder / "manifest.json").write_text('{"step": 7, "files": {"../../x": 1}}')
    with pytest.raises(CheckpointDamaged, match=r"manifest\.json" if "manifest" in damage else r"weights\.bin"):
        verify_checkpoint(folder)


def test_a_manifest_that_points_outside_is_damaged(tmp_path: Path) -> None:
    folder = save(tmp_path / "inside", 7)
    (tmp_path / "secret").write_bytes(b"weights")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("weights.bin", "../../secret"))
    with pytest.raises(CheckpointDamaged, match="secret"):
        verify_checkpoint(folder)


def test_the_newest_that_verifies_is_taken_over_all_attempts(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    save(first, 10)
    kept = save(first, 20)
    (save(second, 30) / "weights.bin").write_bytes(b"damaged")
    found = find_newest_checkpoint([first, second])
    assert found is not None
    assert found[0] == kept
    assert found[1].step == 20
    assert find_newest_checkpoint([tmp_path / "nothing"]) is None


def test_a_failed_write_leaves_the_old_one(tmp_path: Path) -> None:
    kept = save(tmp_path, 10)

    def write_and_break() -> None:
        with new_checkpoint(kept, 10) as temporary:
            (temporary / "weights.bin").write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_and_break()
    assert verify_checkpoint(kept).step == 10
    assert list(tmp_path.iterdir()) == [kept]


def test_what_a_killed_writer_left_is_no_checkpoint_and_is_swept(tmp_path: Path) -> None:
    half = tmp_path / ".step-000010.abc.tmp"
    save(tmp_path, 10).rename(half)
    assert find_newest_checkpoint([tmp_path]) is None
    sweep_leftovers(tmp_path)
    assert not half.exists()
