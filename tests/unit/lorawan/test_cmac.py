"""AES-CMAC against the figures of RFC 4493 §4 (subkey generation and examples 1 to 4)."""

from __future__ import annotations

import pytest

from lorawan.crypto import aes_cmac, cmac_subkeys
from lorawan.ids import AesKey

KEY = AesKey.from_hex("2b7e151628aed2a6abf7158809cf4f3c")
MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
EXAMPLES = [
    pytest.param(0, "bb1d6929e95937287fa37d129b756746", id="example-1-empty"),
    pytest.param(16, "070a16b46b4d4144f79bdd9dd04a287c", id="example-2-one-block"),
    pytest.param(40, "dfa66747de9ae63030ca32611497c827", id="example-3-part-of-a-block"),
    pytest.param(64, "51f0bebf7e3b9d92fc49741779363cfe", id="example-4-four-blocks"),
]


def test_subkeys_are_those_of_the_rfc() -> None:
    k1, k2 = cmac_subkeys(KEY)
    assert k1.hex() == "fbeed618357133667c85e08f7236a8de"
    assert k2.hex() == "f7ddac306ae266ccf90bc11ee46d513b"


@pytest.mark.parametrize(("length", "expected"), EXAMPLES)
def test_codes_are_those_of_the_rfc(length: int, expected: str) -> None:
    assert aes_cmac(KEY, MESSAGE[:length]).hex() == expected


def test_a_code_does_not_depend_on_what_was_computed_before() -> None:
    for _ in range(3):
        for example in EXAMPLES:
            length, expected = example.values
            assert isinstance(length, int)
            assert aes_cmac(KEY, MESSAGE[:length]).hex() == expected
