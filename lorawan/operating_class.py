"""The three classes of devices, by how they listen between their uplinks."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from lorawan.units import US_PER_S

RESPONSE_TIMEOUT_US: Final = 8 * US_PER_S  # CLASS_B_RESP_TIMEOUT, CLASS_C_RESP_TIMEOUT: RP002-1.0.4 §2.3, page 28


class OperatingClass(StrEnum):
    """A: only after an uplink; B: in ping slots too; C: always. Source: TS001-1.0.4 §2."""

    A = "A"
    B = "B"
    C = "C"


DEVICE_MODES: Final = {OperatingClass.A: 0, OperatingClass.C: 2}  # of DeviceModeInd: LoRaWAN 1.1 §18.1, table 23


def response_timeout_us(nb_trans: int, receive_delay2_us: int, *, adr: bool) -> int:
    """How long after a confirmed class B or C downlink its acknowledgement may still be sent.

    adr: the ADR bit of the device's uplinks. Source: TS001-1.0.4 §9.3.1 (page 55) for class B; that class C follows the
    same formula is an assumption (page 75 was not to be had).
    """
    if not adr:
        return RESPONSE_TIMEOUT_US
    return RESPONSE_TIMEOUT_US * nb_trans + receive_delay2_us * (nb_trans - 1)
