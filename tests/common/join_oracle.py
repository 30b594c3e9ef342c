"""A device's half of joins and rejoins, by the `cryptography` package alone: nothing of lorawan.crypto.

Source: LoRaWAN 1.1 §6.1.1.4 (lifetime keys), §6.2.3 (accept: cipher, MIC, session keys), §6.2.4 (rejoin requests).
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC


def aes(key: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def cmac(key: bytes, data: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


def derived(key: bytes, label: int, *parts: bytes) -> bytes:
    return aes(key, (bytes([label]) + b"".join(parts)).ljust(16, b"\0"))


@dataclass(frozen=True)
class Accepted:
    """What an accept says, and the session keys it leads to (FNwkSInt, SNwkSInt, NwkSEnc, AppS)."""

    join_nonce: int
    dev_addr: int
    opt_neg: bool
    rx1_dr_offset: int
    rx2_dr: int
    rx_delay: int
    cf_list: bytes
    keys: tuple[bytes, bytes, bytes, bytes]


@dataclass(frozen=True)
class Oracle:
    """EUIs as the wire has them (little endian)."""

    nwk_key: bytes
    app_key: bytes
    join_eui: bytes
    dev_eui: bytes

    @property
    def js_int_key(self) -> bytes:
        return derived(self.nwk_key, 6, self.dev_eui)

    @property
    def js_enc_key(self) -> bytes:
        return derived(self.nwk_key, 5, self.dev_eui)

    def join_request(self, dev_nonce: int, key: bytes | None = None) -> bytes:
        message = b"\x00" + self.join_eui + self.dev_eui + dev_nonce.to_bytes(2, "little")
        return message + cmac(key or self.nwk_key, message)[:4]

    def rejoin_02(self, rejoin_type: int, net_id: int, rj_count: int, s_nwk_s_int_key: bytes) -> bytes:
        head = bytes([0xC0, rejoin_type]) + net_id.to_bytes(3, "little")
        message = head + self.dev_eui + rj_count.to_bytes(2, "little")
        return message + cmac(s_nwk_s_int_key, message)[:4]

    def rejoin_1(self, rj_count: int) -> bytes:
        message = b"\xc0\x01" + self.join_eui + self.dev_eui + rj_count.to_bytes(2, "little")
        return message + cmac(self.js_int_key, message)[:4]

    def accept_11(self, phy_payload: bytes, join_req_type: int, nonce: int) -> Accepted:
        """Open an accept whose OptNeg is 1, with the MIC checked."""
        key = self.nwk_key if join_req_type == 0xFF else self.js_enc_key
        clear = aes(key, phy_payload[1:])
        body, mic = clear[:-4], clear[-4:]
        count = nonce.to_bytes(2, "little")
        assert mic == cmac(self.js_int_key, bytes([join_req_type]) + self.join_eui + count + b"\x20" + body)[:4]
        tail = (body[:3], self.join_eui, count)
        network = tuple(derived(self.nwk_key, label, *tail) for label in (1, 3, 4))
        return _accepted(body, (network[0], network[1], network[2], derived(self.app_key, 2, *tail)))

    def accept_10(self, phy_payload: bytes, dev_nonce: int, key: bytes) -> Accepted:
        """Open an accept of the 1.0 form, with the MIC checked. key: the only root."""
        clear = aes(key, phy_payload[1:])
        body, mic = clear[:-4], clear[-4:]
        assert mic == cmac(key, b"\x20" + body)[:4]
        tail = (body[:3], body[3:6], dev_nonce.to_bytes(2, "little"))
        network = derived(key, 1, *tail)
        return _accepted(body, (network, network, network, derived(key, 2, *tail)))


def _accepted(body: bytes, keys: tuple[bytes, bytes, bytes, bytes]) -> Accepted:
    return Accepted(
        join_nonce=int.from_bytes(body[:3], "little"),
        dev_addr=int.from_bytes(body[6:10], "little"),
        opt_neg=bool(body[10] & 0x80),
        rx1_dr_offset=body[10] >> 4 & 7,
        rx2_dr=body[10] & 15,
        rx_delay=body[11] & 15,
        cf_list=body[12:],
        keys=keys,
    )
