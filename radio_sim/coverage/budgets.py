"""Received power and SNR of many places at once, up and down: the same lines as the budgets of `radio_sim.model`.

Up, the device's conducted power and its antenna; down, the EIRP the gateway may radiate, which is another figure in
RX1 and in RX2. The two directions share the loss between the antennas and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lorawan.phy import noise_floor_dbm, snr_floor_db
from radio_sim.model import GatewaySite

Losses = npt.NDArray[np.float32]

SLOWEST_SF = 12


@dataclass(frozen=True, slots=True)
class Terminal:
    """The device's end of every link, and the two downlink powers.

    conducted_dbm: at the device's antenna connector, 16 − 2.15 dBm (RP002-1.0.4 §2.4.3, EIRP 16 dBm of a dipole).
    antenna_gain_dbi: −3 … 0 is usual; −1.5 [assumption]. noise_figure_db 6 [assumption]; man_made_noise_db at the
    device. rx1_eirp_dbm: 14 dBm e.r.p. (ERC/REC 70-03 annex 1), in the channel of the uplink; None takes each
    gateway's own `tx_power_eirp_dbm`. rx2_eirp_dbm: 27 dBm e.r.p. in 869.4–869.65 MHz (same annex).
    """

    conducted_dbm: float = 13.85
    antenna_gain_dbi: float = -1.5
    noise_figure_db: float = 6.0
    man_made_noise_db: float = 0.0
    rx1_eirp_dbm: float | None = None
    rx2_eirp_dbm: float = 29.15

    @property
    def eirp_dbm(self) -> float:
        """Conducted power + antenna gain."""
        return self.conducted_dbm + self.antenna_gain_dbi

    def noise_dbm(self, bw_hz: float = 125_000) -> float:
        """Receiver noise of the device."""
        return noise_floor_dbm(bw_hz, self.noise_figure_db, self.man_made_noise_db)


def uplink_rssi_dbm(loss_db: Losses, gateway: GatewaySite, terminal: Terminal) -> Losses:
    """Power at the concentrator: device EIRP − loss between the antennas + gateway antenna gain − cable loss."""
    fixed = terminal.eirp_dbm + gateway.antenna_gain_dbi - gateway.cable_loss_db
    return np.float32(fixed) - loss_db


def uplink_margin_db(loss_db: Losses, gateway: GatewaySite, terminal: Terminal, sf: int = SLOWEST_SF) -> Losses:
    """SNR at the gateway above the floor of a spreading factor, in dB; 125 kHz."""
    return uplink_rssi_dbm(loss_db, gateway, terminal) - np.float32(gateway.noise_dbm() + snr_floor_db(sf))


def downlink_rssi_dbm(loss_db: Losses, gateway: GatewaySite, terminal: Terminal, *, rx2: bool = False) -> Losses:
    """Power at the device: gateway EIRP of the window − loss between the antennas + device antenna gain."""
    rx1_eirp = gateway.tx_power_eirp_dbm if terminal.rx1_eirp_dbm is None else terminal.rx1_eirp_dbm
    return np.float32((terminal.rx2_eirp_dbm if rx2 else rx1_eirp) + terminal.antenna_gain_dbi) - loss_db
