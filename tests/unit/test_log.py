from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pymerkle.proof import InclusionProof, InvalidProof, verify_inclusion
from typer.testing import CliRunner, Result

from tradewright import _core
from tradewright.cli.exit_codes import ExitCode
from tradewright.cli.main import build_app

SEGMENT = 1 << 20
SEGMENTS = 3


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build_app(), [str(argument) for argument in arguments])


def run_json(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == ExitCode.OK, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs") / "sample"
    assert _core.sample_log(folder, 30_000, SEGMENT) > 30_000
    return folder


@pytest.fixture
def log(sample: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample, tmp_path / "log"))


def test_a_log_is_verified(log: Path) -> None:
    report = run_json("verify", log)
    assert report["first_index"] == 1
    assert report["tail"] == "sealed"
    assert report["tree_size"] == report["last_index"] > 30_000
    assert (report["checks"], report["snapshots"], report["segments"]) == (report["last_index"] // 4_096, 2, SEGMENTS)
    assert len(report["state_hash"]) == 32
    assert report["heads"] == -(-report["last_index"] // 256)
    quick = run_json("verify", log, "--quick", "--public-key", report["public_keys"][0])
    assert (quick["checks"], quick["state_hash"]) == (0, "")
    assert quick["chain"] == report["chain"]
    text = run("verify", log).stdout
    assert f"\nchain        {report['chain']}\n" in text


@pytest.mark.parametrize("segment", range(SEGMENTS))
def test_damage_is_named_by_file_and_byte(log: Path, segment: int) -> None:
    file = sorted(log.glob("*.seg"))[segment]
    content = bytearray(file.read_bytes())
    content[4_096 + 700] ^= 1
    file.write_bytes(content)
    for command in (("verify", log), ("verify", log, "--quick"), ("prove", log, 5), ("backup", log, log / "to")):
        result = run(*command)
        assert result.exit_code == ExitCode.BAD_DATA
        assert f"{file.name}: damaged at byte 4096: " in result.stderr


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    for command in (("verify", tmp_path / "none"), ("verify", tmp_path), ("prove", tmp_path, 1)):
        result = run(*command)
        assert result.exit_code == ExitCode.BAD_DATA
        assert result.stderr.startswith(f"tradewright: {command[1]}: ")


@pytest.mark.parametrize("key", ["00", "zz" * 32, "00" * 33])
def test_a_key_that_is_none_is_refused(log: Path, key: str) -> None:
    result = run("verify", log, "--public-key", key)
    assert result.exit_code == ExitCode.USAGE
    assert "must be 64 hexadecimal digits" in result.stderr


def test_another_key_than_the_expected_one_is_refused(log: Path) -> None:
    result = run("verify", log, "--quick", "--public-key", "01" * 32)
    assert result.exit_code == ExitCode.BAD_DATA
    assert "a tree head must be signed by the key of the log" in result.stderr


def merkle_proof(proof: dict[str, Any]) -> tuple[bytes, bytes, InclusionProof]:
    """Bring a proof into the form of a library that knows nothing of ours: RFC 9162 is all they share."""
    leaf = hashlib.sha256(b"\0" + bytes.fromhex(proof["record"])).digest()
    size, index = proof["head"]["tree_size"], proof["index"]
    path = [leaf, *(bytes.fromhex(step) for step in proof["path"])]
    merkle = InclusionProof("sha256", True, size, index, sides(index - 1, size), path)
    return leaf, bytes.fromhex(proof["head"]["root"]), merkle


def sides(leaf_index: int, size: int) -> list[int]:
    """Say for each step from the leaf up whether it stands left (0) or right (1); 0 for the root."""
    found = [0]
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + (1 << (end - begin - 1).bit_length() - 1)
        found.append(int(leaf_index >= middle))
        begin, end = (begin, middle) if leaf_index < middle else (middle, end)
    return list(reversed(found))


@pytest.mark.parametrize("index", [1, 2, 255, 256, 257, 12_345, 30_000])
def test_an_independent_library_accepts_our_proofs(log: Path, index: int) -> None:
    proof = run_json("prove", log, index)
    assert (proof["index"], proof["leaf_index"]) == (index, index - 1)
    leaf, root, merkle = merkle_proof(proof)
    assert leaf.hex() == proof["leaf_hash"] == hashlib.sha256(b"\0" + bytes.fromhex(proof["record"])).hexdigest()
    verify_inclusion(leaf, root, merkle)
    assert _core.proof_holds(json.dumps(proof))


def test_an_independent_library_refuses_a_forged_proof(log: Path) -> None:
    proof = run_json("prove", log, 12_345)
    record = bytearray.fromhex(proof["record"])
    record[60] ^= 1
    forgeries = [
        {**proof, "record": record.hex()},
        {**proof, "path": [*proof["path"][:-1], "00" * 32]},
        {**proof, "head": {**proof["head"], "root": "11" * 32}},
        {**proof, "path": list(reversed(proof["path"]))},
    ]
    for forged in forgeries:
        leaf, root, merkle = merkle_proof(forged)
        with pytest.raises(InvalidProof):
            verify_inclusion(leaf, root, merkle)
        assert not _core.proof_holds(json.dumps(forged))
    assert not _core.proof_holds("{}")


def test_a_command_that_is_not_there_is_not_proved(log: Path) -> None:
    result = run("prove", log, 10_000_000)
    assert result.exit_code == ExitCode.BAD_DATA
    assert "index=10000000 must be below a signed head of the tree: none is" in result.stderr


def test_a_log_only_grew(log: Path) -> None:
    proof = json.loads(_core.prove_log_grew(log, 12_288))
    assert proof["first_size"] == 12_288
    assert proof["path"]


def test_a_backup_is_restored(log: Path, tmp_path: Path) -> None:
    before = run_json("verify", log)
    copied = run_json("backup", log, tmp_path / "backup")
    assert copied == {
        "segments": SEGMENTS,
        "snapshots": 2,
        "last_index": before["last_index"],
        "chain": before["chain"],
    }
    restored = run_json("restore", tmp_path / "backup", tmp_path / "restored")
    assert restored["state_hash"] == before["state_hash"]
    assert restored["chain"] == before["chain"]
    again = run("backup", log, tmp_path / "backup")
    assert again.exit_code == ExitCode.BAD_DATA
    assert "a log is copied to a folder that has none" in again.stderr


def test_archived_segments_are_read_as_before(log: Path, tmp_path: Path) -> None:
    before = run_json("verify", log)
    archived = _core.archive_log(log)
    assert archived[0] == 1
    assert len(list(log.glob("*.seg.zst"))) == len(archived)
    assert run_json("verify", log) == before
    assert _core.proof_holds(json.dumps(run_json("prove", log, 1)))
    assert run_json("backup", log, tmp_path / "backup")["chain"] == before["chain"]


@pytest.mark.parametrize("name", ["power-cut", "torn-write", "disk-full", "bit-flip"])
def test_a_drill_loses_nothing(name: str) -> None:
    report = run_json("drill", name, "--runs", 20, "--seed", 3)
    assert (report["runs"], report["lost"], report["doubled"], report["hash_mismatches"]) == (20, 0, 0, 0)
    assert 0 < report["recovery_ms_p50"] <= report["recovery_ms_max"]
    assert (report["refused"] > 0) is (name == "bit-flip")


def test_the_control_of_the_power_cut_loses() -> None:
    result = run("drill", "power-cut", "--runs", 30, "--control")
    assert result.exit_code == ExitCode.CHECK_FAILED
    assert result.stdout.startswith("drill power-cut: runs 30, lost ")
