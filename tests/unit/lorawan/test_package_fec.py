"""The parity code of TS004 and the MIC of a data block, against known answers and another library."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC

from lorawan.crypto import derive_data_block_int_key, mic_data_block
from lorawan.errors import FrameError
from lorawan.ids import AesKey
from lorawan.packages.fragmentation import Decoder, Progress, coded, matrix_line, split
from lorawan.packages.fragmentation.fec import prbs23

KEY = derive_data_block_int_key(AesKey(bytes(range(16))))
BLOCK = bytes(range(95))

# 100 bytes 00 to 63 in fragments of 10, first ten coded ones. Version 1: brocaar/lorawan@a18a103
# applayer/fragmentation/encode_test.go; version 2: chirpstack@d77207cd lrwn/src/applayer/fragmentation/v2.rs
KNOWN = {
    1: "262622222e2e22222626 5455565758596a6b7c7d 5c5d6e6f101102030405 363632323e3e22223636 3a3a0e0e0a0a06060a0a "
    "0e0e3232363622223e3e 02020e0e727276766262 1e1e1a1a66665a5a4e4e 1a1b1c1d1e1f30312223 22232425262718190a0b",
    2: "686952535c5d76777071 5455565758596a6b7c7d 5c5d6e6f101102030405 6c6d6e6f606142435455 12132425262728293a3b "
    "48497a7b7c7d6e6f7071 1c1d2e2f505152534445 585952532c2d16170001 1a1b1c1d1e1f30312223 00013a3b44457e7f6869",
}


@pytest.mark.parametrize("version", KNOWN)
def test_coded_fragments_are_those_of_other_implementations(version: int) -> None:
    fragments, padding = split(bytes(range(100)), 10)
    found = [coded(fragments, 10 + y, version).to_bytes(10, "big").hex() for y in range(1, 11)]
    assert " ".join(found) == KNOWN[version]
    assert padding == 0


def test_the_first_fragments_are_not_coded() -> None:
    # TS004-2.0.0 annex A.1, example: C = matrix_line(1, 100) is a one and 99 zeros
    assert matrix_line(1, 100, 2) == 1
    fragments, padding = split(BLOCK, 10)
    assert padding == 5
    assert b"".join(coded(fragments, n, 2).to_bytes(10, "big") for n in range(1, 11)) == BLOCK + bytes(5)


def test_a_coded_line_of_version_2_has_half_of_the_fragments() -> None:
    # TS004-2.0.0 annex A.5: it draws until M/2 columns are set
    for m in (2, 3, 16, 26, 100, 128):
        assert {matrix_line(m + y, m, 2).bit_count() for y in range(1, 30)} == {m // 2}


def test_the_generator_has_its_whole_period() -> None:
    # TS004-2.0.0 annex A.5: "a PRBS generator with (2^23)-1 period". x → prbs23(x) is linear over GF(2), so its order
    # is found by squaring its matrix: 2^23 − 1 = 47 · 178481, and neither factor alone is the order.
    def power(exponent: int) -> list[int]:
        result, square = [1 << i for i in range(23)], [prbs23(1 << i) for i in range(23)]
        while exponent:
            if exponent & 1:
                result = [apply(square, column) for column in result]
            square = [apply(square, column) for column in square]
            exponent >>= 1
        return result

    def apply(matrix: list[int], vector: int) -> int:
        out = 0
        for i in range(23):
            if vector >> i & 1:
                out ^= matrix[i]
        return out

    identity = [1 << i for i in range(23)]
    assert power((1 << 23) - 1) == identity
    assert power(47) != identity
    assert power(178_481) != identity


def test_more_fragments_missing_than_lines() -> None:
    fragments, _ = split(bytes(100), 10)
    decoder = Decoder(10, 10, 2, max_lines=1)
    seen = [decoder.add(n, coded(fragments, n, 2).to_bytes(10, "big")) for n in range(11, 14)]
    assert seen == [Progress.USEFUL, Progress.OUT_OF_MEMORY, Progress.OUT_OF_MEMORY]


def test_blocks_that_fit_no_session() -> None:
    with pytest.raises(FrameError):
        split(b"", 10)
    with pytest.raises(FrameError):
        split(b"x", 0)
    with pytest.raises(FrameError, match="NbFrag"):
        split(bytes(1 << 14), 1)


def test_the_key_of_the_mic_is_the_block_30_under_another_library() -> None:
    root = bytes(range(16))
    encryptor = Cipher(AES(root), ECB()).encryptor()
    assert derive_data_block_int_key(AesKey(root)) == encryptor.update(b"\x30" + bytes(15)) + encryptor.finalize()


def test_the_mic_of_a_block_is_that_of_the_table() -> None:
    """TS004-2.0.0 table 12 written out, and AES-CMAC of another library."""
    b0 = bytes.fromhex("49" + "3412" + "02" + "04030201" + "00000000" + "5f000000")
    cmac = CMAC(AES(bytes(KEY)))
    cmac.update(b0 + BLOCK)
    assert mic_data_block(KEY, 0x1234, 2, 0x01020304, BLOCK) == cmac.finalize()[:4]
    with pytest.raises(FrameError):
        mic_data_block(KEY, 1 << 16, 0, 0, b"")
