"""Laws of the crypto, with `cryptography` as the independent implementation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from lorawan.crypto import aes_cmac, crypt_f_opts, crypt_payload, decrypt_join_accept, encrypt_join_accept
from lorawan.ids import AesKey, DevAddr
from lorawan.strategies import aes_keys, dev_addrs, f_cnts


def reference_cmac(key: bytes, message: bytes) -> bytes:
    code = CMAC(AES(key))
    code.update(message)
    return code.finalize()


@given(key=aes_keys(), messages=st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_cmac_agrees_with_another_implementation(key: AesKey, messages: list[bytes]) -> None:
    assert [aes_cmac(key, message) for message in messages] == [reference_cmac(key, m) for m in messages]


def test_cmac_is_right_in_several_threads_at_once() -> None:
    key = AesKey(bytes(range(16)))
    messages = [bytes((number % 256,)) * (number % 90) for number in range(2000)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda message: aes_cmac(key, message), messages, chunksize=50))
    assert found == [reference_cmac(key, message) for message in messages]


@given(key=aes_keys(), uplink=st.booleans(), dev_addr=dev_addrs(), f_cnt=f_cnts(), data=st.binary(max_size=255))
def test_the_payload_cipher_is_its_own_inverse_and_keeps_the_length(
    key: AesKey, uplink: bool, dev_addr: DevAddr, f_cnt: int, data: bytes
) -> None:
    sealed = crypt_payload(key, uplink, dev_addr, f_cnt, data)
    assert len(sealed) == len(data)
    assert crypt_payload(key, uplink, dev_addr, f_cnt, sealed) == data


@given(key=aes_keys(), dev_addr=dev_addrs(), f_cnt=f_cnts(), data=st.binary(min_size=8, max_size=15))
def test_no_two_uses_of_one_counter_share_a_keystream(key: AesKey, dev_addr: DevAddr, f_cnt: int, data: bytes) -> None:
    sealed = {
        crypt_f_opts(key, True, dev_addr, f_cnt, data),
        crypt_f_opts(key, False, dev_addr, f_cnt, data),
        crypt_f_opts(key, False, dev_addr, f_cnt, data, a_f_cnt_down=True),
        crypt_payload(key, True, dev_addr, f_cnt, data),
        crypt_payload(key, False, dev_addr, f_cnt, data),
    }
    assert len(sealed) == 5
    assert crypt_f_opts(key, True, dev_addr, f_cnt, crypt_f_opts(key, True, dev_addr, f_cnt, data)) == data


@given(key=aes_keys(), clear=st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32))
def test_the_accept_cipher_and_its_inverse_cancel(key: AesKey, clear: bytes) -> None:
    assert decrypt_join_accept(key, encrypt_join_accept(key, clear)) == clear
