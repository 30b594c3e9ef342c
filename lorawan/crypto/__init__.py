"""AES-CMAC, integrity codes, ciphers and key derivation of LoRaWAN 1.0 and 1.1, over pycryptodome's AES."""

from lorawan.crypto.cipher import aes_cmac, cmac_subkeys
from lorawan.crypto.keys import (
    JoinKeys,
    SessionKeys,
    derive_join_keys,
    derive_keys_10,
    derive_keys_11,
    derive_keys_11_fallback,
)
from lorawan.crypto.mic import (
    MIC_LENGTH,
    mic_data_10,
    mic_down_11,
    mic_join_accept_10,
    mic_join_accept_11,
    mic_join_request,
    mic_rejoin_request,
    mic_up_11,
)
from lorawan.crypto.multicast import (
    DATA_BLOCK_MIC_LENGTH,
    McSessionKeys,
    decrypt_mc_key,
    derive_data_block_int_key,
    derive_mc_ke_key,
    derive_mc_root_key_10,
    derive_mc_root_key_11,
    derive_mc_session_keys,
    encrypt_mc_key,
    mic_data_block,
)
from lorawan.crypto.relay import WorKeys, derive_root_wor_s_key, derive_wor_keys
from lorawan.crypto.stream import crypt_f_opts, crypt_payload, decrypt_join_accept, encrypt_join_accept

__all__ = [
    "DATA_BLOCK_MIC_LENGTH",
    "MIC_LENGTH",
    "JoinKeys",
    "McSessionKeys",
    "SessionKeys",
    "WorKeys",
    "aes_cmac",
    "cmac_subkeys",
    "crypt_f_opts",
    "crypt_payload",
    "decrypt_join_accept",
    "decrypt_mc_key",
    "derive_data_block_int_key",
    "derive_join_keys",
    "derive_keys_10",
    "derive_keys_11",
    "derive_keys_11_fallback",
    "derive_mc_ke_key",
    "derive_mc_root_key_10",
    "derive_mc_root_key_11",
    "derive_mc_session_keys",
    "derive_root_wor_s_key",
    "derive_wor_keys",
    "encrypt_join_accept",
    "encrypt_mc_key",
    "mic_data_10",
    "mic_data_block",
    "mic_down_11",
    "mic_join_accept_10",
    "mic_join_accept_11",
    "mic_join_request",
    "mic_rejoin_request",
    "mic_up_11",
]
