"""Hypothesis strategies for identifiers, keys, frames and MAC commands.

For property tests here and in code that uses the library: `from lorawan.strategies import data_up`. Nothing in the
product imports this module; Hypothesis comes with the extra `lorabench[hypothesis]`.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lorawan.crypto import SessionKeys
from lorawan.frames import (
    MAX_F_OPTS,
    MAX_PHY_PAYLOAD,
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    FCtrlDown,
    FCtrlUp,
    Frame,
    JoinAccept,
    JoinRequest,
    Proprietary,
    RejoinRequest02,
    RejoinRequest1,
    encode_cf_list,
)
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.mac_commands import COMMANDS, MacCommand
from lorawan.mac_commands.base import Place, places
from lorawan.packages import PACKAGES, Package, PackageCommand
from lorawan.version import Version

_OVERHEAD = 13  # MHDR, FHDR without FOpts, FPort, MIC


def eui64s() -> SearchStrategy[Eui64]:
    """DevEUIs, JoinEUIs, gateway EUIs."""
    return st.integers(0, (1 << 64) - 1).map(Eui64)


def dev_addrs() -> SearchStrategy[DevAddr]:
    """Device addresses."""
    return st.integers(0, (1 << 32) - 1).map(DevAddr)


def net_ids() -> SearchStrategy[NetId]:
    """Network identifiers."""
    return st.integers(0, (1 << 24) - 1).map(NetId)


def aes_keys() -> SearchStrategy[AesKey]:
    """AES-128 keys."""
    return st.binary(min_size=16, max_size=16).map(AesKey)


def session_keys(version: Version | None = None) -> SearchStrategy[SessionKeys]:
    """The keys of a session: one network key before 1.1, three in it; None gives either."""
    keys_10 = st.builds(SessionKeys.for_10, aes_keys(), aes_keys())
    keys_11 = st.builds(SessionKeys, aes_keys(), aes_keys(), aes_keys(), aes_keys())
    if version is None:
        return keys_10 | keys_11
    return keys_11 if version.is_1_1 else keys_10


def f_cnts() -> SearchStrategy[int]:
    """Whole 32-bit frame counters, often near where 16 or 32 bits end."""
    edges = st.sampled_from((0, 1, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFF, 0xFFFFFFFE, 0xFFFFFFFF))
    return edges | st.integers(0, 0xFFFFFFFF)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, int | None, bytes]:
    """FOpts, FPort and FRMPayload that may stand in one frame."""
    f_opts = draw(st.binary(max_size=MAX_F_OPTS))
    f_port = draw(st.none() | st.sampled_from((0, 1, 223, 224, 255)) | st.integers(0, 255))
    if f_port is None or (f_port == 0 and f_opts):
        return f_opts, f_port, b""
    return f_opts, f_port, draw(st.binary(max_size=40) | st.binary(max_size=MAX_PHY_PAYLOAD - _OVERHEAD - len(f_opts)))


def f_ctrl_ups() -> SearchStrategy[FCtrlUp]:
    """FCtrl of uplinks."""
    return st.builds(FCtrlUp, st.booleans(), st.booleans(), st.booleans(), st.booleans())


def f_ctrl_downs() -> SearchStrategy[FCtrlDown]:
    """FCtrl of downlinks."""
    return st.builds(FCtrlDown, st.booleans(), st.booleans(), st.booleans())


@st.composite
def data_ups(draw: st.DrawFn) -> DataUp:
    """Uplink data frames; the ciphertext and MIC are any bytes."""
    f_opts, f_port, frm_payload = draw(bodies())
    return DataUp(
        confirmed=draw(st.booleans()),
        dev_addr=draw(dev_addrs()),
        f_ctrl=draw(f_ctrl_ups()),
        f_cnt=draw(st.integers(0, 0xFFFF)),
        f_opts=f_opts,
        f_port=f_port,
        frm_payload=frm_payload,
        mic=draw(_mics()),
    )


@st.composite
def data_downs(draw: st.DrawFn) -> DataDown:
    """Downlink data frames; the ciphertext and MIC are any bytes."""
    f_opts, f_port, frm_payload = draw(bodies())
    return DataDown(
        confirmed=draw(st.booleans()),
        dev_addr=draw(dev_addrs()),
        f_ctrl=draw(f_ctrl_downs()),
        f_cnt=draw(st.integers(0, 0xFFFF)),
        f_opts=f_opts,
        f_port=f_port,
        frm_payload=frm_payload,
        mic=draw(_mics()),
    )


def join_requests() -> SearchStrategy[JoinRequest]:
    """Join-Requests; the MIC is any bytes."""
    return st.builds(JoinRequest, eui64s(), eui64s(), _u16s(), _mics())


def join_accepts() -> SearchStrategy[JoinAccept]:
    """Join-Accepts in clear, of either OptNeg, with and without a CFList of frequencies."""
    freqs_hz = st.lists(st.integers(0, (1 << 24) - 1).map(lambda count: count * 100), max_size=5)
    return st.builds(
        JoinAccept,
        join_nonce=st.integers(0, (1 << 24) - 1),
        net_id=net_ids(),
        dev_addr=dev_addrs(),
        opt_neg=st.booleans(),
        rx1_dr_offset=st.integers(0, 7),
        rx2_dr=st.integers(0, 15),
        rx_delay_s=st.integers(0, 15),
        cf_list=st.just(b"") | freqs_hz.map(encode_cf_list),
    )


def frames() -> SearchStrategy[Frame]:
    """Any frame."""
    return (
        data_ups()
        | data_downs()
        | join_requests()
        | st.sampled_from((16, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n)).map(EncryptedJoinAccept)
        | st.builds(RejoinRequest02, st.sampled_from((0, 2)), net_ids(), eui64s(), _u16s(), _mics())
        | st.builds(RejoinRequest1, eui64s(), eui64s(), _u16s(), _mics())
        | st.builds(Proprietary, st.binary(max_size=MAX_PHY_PAYLOAD - 1))
    )


def mac_commands(*, uplink: bool | None = None, version: Version | None = None) -> SearchStrategy[MacCommand]:
    """Any MAC command of a direction and of a version, or of all."""
    wanted = [c for c in COMMANDS if uplink in (None, c.uplink) and (version is None or version in c.versions)]
    return st.sampled_from(wanted).flatmap(commands_of)


def commands_of(command: type[MacCommand]) -> SearchStrategy[MacCommand]:
    """Any MAC command of one type."""
    return st.builds(command, *[_values_at(place) for _, place in places(command)])


def _values_at(place: Place) -> SearchStrategy[Any]:
    low, high = place.counts
    if place.octets:
        return st.binary(min_size=low, max_size=high)
    return st.integers(low, high).map(place.value)


def packages() -> SearchStrategy[Package]:
    """The application packages, each version."""
    return st.sampled_from(PACKAGES)


def package_commands(package: Package | None = None, *, uplink: bool | None = None) -> SearchStrategy[PackageCommand]:
    """Any command of a package (None: of any) and of a direction (None: of both)."""
    wanted = [
        command
        for one in (PACKAGES if package is None else (package,))
        for command in one.commands
        if uplink in (None, command.uplink)
    ]
    return st.sampled_from(wanted).flatmap(package_commands_of)


def package_commands_of(command: type[PackageCommand]) -> SearchStrategy[PackageCommand]:
    """One command of a package, with any values: read from bytes, so that what its first byte leaves out is 0."""

    def read(data: bytes) -> PackageCommand:
        found = command.read(data) or command.read(data.ljust(_LONGEST_PACKAGE_PAYLOAD, b"\x00"))
        assert found is not None
        return found[0]

    return st.binary(max_size=_LONGEST_PACKAGE_PAYLOAD).map(read)


_LONGEST_PACKAGE_PAYLOAD = 60  # longer than any command without a rest; a rest is as long as it happens to be


def _u16s() -> SearchStrategy[int]:
    return st.integers(0, 0xFFFF)


def _mics() -> SearchStrategy[bytes]:
    return st.binary(min_size=4, max_size=4)
