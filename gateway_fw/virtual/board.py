"""What a virtual CoreCell is made of: settings that do not change while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway_fw.virtual.sx1302 import MODEL_SX1302
from gateway_fw.virtual.transmitter import EU868_POWER_DBM
from lorawan.ids import Eui64


@dataclass(frozen=True, slots=True)
class RssiCalibration:
    """How a forwarder turns the chip's RSSI byte into dBm: byte + offset_db + temperature polynomial / 65536.

    The defaults are those of every radio in sx1302_hal 2.1.0's global_conf.json.sx1250.EU868.USB: the chip does not
    know them, so the virtual one must be told to report what was asked.
    """

    offset_db: float = -215.4
    coefficients: tuple[float, float, float, float, float] = (0.0, 0.0, 20.41, 2162.56, 0.0)

    def raw(self, rssi_dbm: float, temperature_c: float) -> int:
        """The byte that is reported nearest to an RSSI in dBm, within 0 to 255."""
        return max(0, min(255, round(rssi_dbm - self.dbm(0, temperature_c))))

    def dbm(self, raw: int, temperature_c: float) -> float:
        """What a forwarder reports for a byte."""
        compensation = 0.0
        for coefficient in self.coefficients:
            compensation = compensation * temperature_c + coefficient
        return raw + self.offset_db + compensation / 65536


_CHIP_EUI = Eui64(0x0016C001FF10A235)  # [assumption] Semtech's block; any eight bytes will do


@dataclass(frozen=True, slots=True)
class CoreCellBoard:
    """chip_eui: what the concentrator says of itself. mcu_id: 12 bytes. firmware: the bridge's version.

    counter_start_ticks: the 32 MHz counter at chip reset. pulse_phase_us: when in a second of the run the pulse per
    second comes, None for no receiver. public: whether frames on the air carry the LoRaWAN sync word.
    half_duplex: whether reception fails while the board transmits.
    """

    chip_eui: Eui64 = _CHIP_EUI
    mcu_id: bytes = bytes.fromhex("0031002F3438510A35363931")
    firmware: str = "V01.00.00"
    model: int = MODEL_SX1302
    rssi: RssiCalibration = RssiCalibration()
    power_dbm: Mapping[int, float] = field(default_factory=lambda: EU868_POWER_DBM)
    counter_start_ticks: int = 0
    pulse_phase_us: int | None = 0
    public: bool = True
    half_duplex: bool = True
