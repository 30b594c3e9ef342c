"""What a reader knows beside the bytes."""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.crypto import SessionKeys
from lorawan.ids import AesKey, Eui64
from lorawan.version import Version

_NO_KEY = AesKey(bytes(16))


@dataclass(frozen=True, slots=True)
class Known:
    """Keys and numbers. Keys that are None are not there.

    f_cnt: the 32-bit counter, None for "the 16 bits on the wire are all". conf_f_cnt, tx_dr, tx_ch: as the 1.1 MIC
    wants them; conf_f_cnt None: not known. tx_origin: how tx_dr and tx_ch were found, "" where they were given.
    dev_eui, join_eui, dev_nonce: of the join a Join-Accept answers; where it answers a Rejoin-Request, rejoin_type is
    its type and dev_nonce its RJcount. multicast: the address is a group's, network and application key are McNwkSKey
    and McAppSKey.
    """

    version: Version = Version.V1_0_4
    f_nwk_s_int_key: AesKey | None = None
    s_nwk_s_int_key: AesKey | None = None
    nwk_s_enc_key: AesKey | None = None
    app_s_key: AesKey | None = None
    app_key: AesKey | None = None
    nwk_key: AesKey | None = None
    f_cnt: int | None = None
    conf_f_cnt: int | None = 0
    tx_dr: int = 0
    tx_ch: int = 0
    tx_origin: str = ""
    dev_eui: Eui64 | None = None
    join_eui: Eui64 | None = None
    dev_nonce: int | None = None
    rejoin_type: int | None = None
    multicast: bool = False
    show_keys: bool = False

    @property
    def root_key(self) -> AesKey | None:
        """The key of joins: AppKey, in 1.1 NwkKey."""
        return self.nwk_key if self.version.is_1_1 else self.app_key

    @property
    def session_is_1_1(self) -> bool:
        """Whether data frames follow 1.1: a multicast group has two keys and the MIC of 1.0 in every version."""
        return self.version.is_1_1 and not self.multicast

    def session(self) -> SessionKeys:
        """The session keys with zeros where one is not known: whoever uses one checks first that it is there."""
        return SessionKeys(
            self.f_nwk_s_int_key or _NO_KEY,
            self.s_nwk_s_int_key or _NO_KEY,
            self.nwk_s_enc_key or _NO_KEY,
            self.app_s_key or _NO_KEY,
        )
