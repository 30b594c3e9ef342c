"""Gives Hypothesis a strategy for every public type of `lorawan`: `st.from_type(DataUp)` works once it is installed.

Importing this module is what registers them, and Hypothesis imports it when it is imported itself: the distribution's
entry point in the group "hypothesis" names the module and no function of it, because whoever imports this module or
`lorawan.strategies` first has it half imported at that moment. For the same reason the functions of
`lorawan.strategies` are looked up when a strategy is asked for. Public is what a package lists in `__all__`, and what
the modules beside the packages define.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, TypeAlias, get_type_hints

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import lorawan
import lorawan.strategies as named
from lorawan.crypto import SessionKeys
from lorawan.device import Activation, DeviceConfig
from lorawan.errors import LorawanError
from lorawan.frames import (
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    FCtrlDown,
    FCtrlUp,
    JoinAccept,
    JoinRequest,
    Mhdr,
    Proprietary,
    RejoinRequest02,
    RejoinRequest1,
)
from lorawan.frames.beacon import Beacon
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.mac_commands import COMMANDS, MacCommand
from lorawan.phy import LoraModulation
from lorawan.regions import REGIONS, Channel, ChannelPlan, DataRate, Region, SubBand
from lorawan.server import AdrAlgorithm, AdrFixed, AdrPolicy
from lorawan.version import Version, VersionRules

Resolver: TypeAlias = Callable[[type], SearchStrategy[Any]]

_PUBLIC_INNER_MODULES = frozenset({"lorawan.frames.beacon"})
_MODULES_APART = frozenset({"lorawan.strategies", "lorawan.type_strategies"})


def register() -> None:
    """Tell Hypothesis of every public type; doing it again changes nothing."""
    for kind, resolver in _resolvers().items():
        st.register_type_strategy(kind, resolver)


def public_types() -> Iterator[type]:
    """Every frozen dataclass that a user of the library may meet, each once."""
    found: dict[type, None] = {}
    for info in pkgutil.walk_packages(lorawan.__path__, "lorawan."):
        if info.name in _MODULES_APART:
            continue
        module = importlib.import_module(info.name)
        inner = not info.ispkg and info.name.count(".") > 1 and info.name not in _PUBLIC_INNER_MODULES
        for name in getattr(module, "__all__", None) or vars(module):
            kind = getattr(module, name)
            if not isinstance(kind, type) or name.startswith("_") or not _is_frozen(kind):
                continue
            # Inside a package its __all__ speaks for it, but a command is public wherever it stands.
            if not inner or issubclass(kind, MacCommand):
                found[kind] = None
    yield from found


def _is_frozen(kind: type) -> bool:
    """A frozen dataclass of this library."""
    parameters: Any = getattr(kind, "__dataclass_params__", None)
    return is_dataclass(kind) and bool(parameters and parameters.frozen) and kind.__module__.startswith("lorawan.")


def _resolvers() -> Mapping[type, Resolver]:
    found: dict[type, Resolver] = {kind: _resolver(kind) for kind in public_types()}
    return found | {
        Eui64: lambda _: named.eui64s(),
        DevAddr: lambda _: named.dev_addrs(),
        NetId: lambda _: named.net_ids(),
        AesKey: lambda _: named.aes_keys(),
        SessionKeys: lambda _: named.session_keys(),
        FCtrlUp: lambda _: named.f_ctrl_ups(),
        FCtrlDown: lambda _: named.f_ctrl_downs(),
        DataUp: lambda _: named.data_ups(),
        DataDown: lambda _: named.data_downs(),
        JoinRequest: lambda _: named.join_requests(),
        JoinAccept: lambda _: named.join_accepts(),
        EncryptedJoinAccept: lambda _: _of_size(16, 32).map(EncryptedJoinAccept),
        RejoinRequest02: lambda kind: _by_field_names(kind, rejoin_type=st.sampled_from((0, 2))),
        Proprietary: lambda _: st.binary(max_size=254).map(Proprietary),
        Mhdr: lambda kind: _by_field_names(kind, major=st.integers(0, 3)),
        Beacon: lambda kind: _by_field_names(kind, rfu1=st.none(), rfu2=st.none(), specific_ok=st.just(True)),
        RejoinRequest1: _by_field_names,
        MacCommand: lambda _: named.mac_commands(),
        LoraModulation: lambda _: _lora_modulations(),
        Region: lambda _: _regions(),
        Channel: lambda _: _regions().flatmap(lambda region: st.sampled_from(region.default_channels)),
        DataRate: lambda _: _regions().flatmap(lambda region: st.sampled_from(region.data_rates)),
        SubBand: lambda _: _regions().flatmap(lambda region: st.sampled_from(region.sub_bands)),
        ChannelPlan: lambda _: _regions().map(ChannelPlan.of),
        VersionRules: lambda _: st.sampled_from(Version).map(lambda version: version.rules),
        DeviceConfig: lambda _: _device_configs(),
        AdrAlgorithm: lambda _: st.from_type(AdrPolicy) | st.from_type(AdrFixed),
    }


def _resolver(kind: type) -> Resolver:
    if not issubclass(kind, MacCommand):
        return _by_field_names
    if not hasattr(kind, "cid"):
        return _of_whom_it_stands_for
    return _of_payload if kind not in COMMANDS else lambda _: named.commands_of(kind)


def _of_whom_it_stands_for(kind: type) -> SearchStrategy[Any]:
    return st.one_of([st.from_type(one) for one in public_types() if issubclass(one, kind) and hasattr(one, "cid")])


def _of_payload(kind: type) -> SearchStrategy[Any]:
    """A command of a package, by reading bytes: so what other fields leave out is left out."""

    def read(data: bytes) -> Any:
        data = data.ljust(kind.length_of(data), b"\0")  # type: ignore[attr-defined]
        return kind.of_payload(data[: kind.length_of(data)])  # type: ignore[attr-defined]

    return st.binary(max_size=_LONGEST_PAYLOAD).map(read)


def _of_size(*sizes: int) -> SearchStrategy[bytes]:
    return st.sampled_from(sizes).flatmap(lambda size: st.binary(min_size=size, max_size=size))


def _lora_modulations() -> SearchStrategy[LoraModulation]:
    return st.builds(LoraModulation, st.integers(5, 12), st.sampled_from((125_000, 250_000, 500_000)))


def _regions() -> SearchStrategy[Region]:
    return st.sampled_from(list(REGIONS.values()))


@st.composite
def _device_configs(draw: st.DrawFn) -> DeviceConfig:
    version, dev_eui, join_eui = draw(st.sampled_from(Version)), draw(named.eui64s()), draw(named.eui64s())
    if draw(st.booleans()):
        keys, dev_addr = draw(named.session_keys(version)), draw(named.dev_addrs())
        return DeviceConfig(version, dev_eui, join_eui, activation=Activation.ABP, dev_addr=dev_addr, session_keys=keys)
    nwk_key = draw(named.aes_keys()) if version.is_1_1 else None
    return DeviceConfig(version, dev_eui, join_eui, draw(named.aes_keys()), nwk_key)


def _by_field_names(kind: type, **known: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """A strategy from the type of each field, within the range that its name means here; known: of single fields.

    Where a type refuses a combination of values, Hypothesis tries another one.
    """
    hints = get_type_hints(kind)
    arguments = {
        field.name: known[field.name] if field.name in known else _of_field(field.name, hints[field.name])
        for field in fields(kind)
        if field.init
    }

    return st.fixed_dictionaries(arguments).map(partial(_made, kind)).filter(lambda made: made is not None)


def _made(kind: type, values: Mapping[str, Any]) -> Any:
    try:
        return kind(**values)
    except LorawanError:
        return None


def _of_field(name: str, hint: Any) -> SearchStrategy[Any]:
    strategy = _FIELDS.get(name)
    if strategy is None and hint is int:
        strategy = st.integers(0, 255)
    if strategy is None and hint is float:
        strategy = st.floats(-200, 200)
    if strategy is None and hint is bytes:
        strategy = st.binary(max_size=40)
    return strategy if strategy is not None else st.from_type(hint)


_LONGEST_PAYLOAD = 60  # of a command: longer than any, but for those that take what there is
_U16, _U24, _U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFFFF)
_TIME_US = st.integers(0, 1 << 50)
_FREQ_HZ = st.integers(1_000_000, (1 << 24) - 1).map(lambda steps: 100 * steps)  # 100 MHz to 1.67 GHz
_FIELDS: Mapping[str, SearchStrategy[Any]] = {
    "f_cnt": _U32,
    "gps_s": _U32,
    "gps_seconds": _U32,
    "dev_nonce": _U16,
    "rj_count": _U16,
    "ch_mask": _U16,
    "join_nonce": _U24,
    "lat": st.integers(-1 << 23, (1 << 23) - 1),
    "lng": st.integers(-1 << 23, (1 << 23) - 1),
    "mic": _of_size(4),
    "at": _TIME_US,
    "t_us": _TIME_US,
    "ends_at": _TIME_US,
    "opens_at": _TIME_US,
    "closes_at": _TIME_US,
    "airtime_us": st.integers(1, 10_000_000),
    "freq_hz": _FREQ_HZ,
    "bit_rate_bps": st.sampled_from((5_000, 50_000, 100_000)),
    "ocw_hz": st.sampled_from((137_000, 336_000, 1_523_000)),  # RP002-1.0.4, LR-FHSS data rates
    "sf": st.integers(5, 12),
    "dr": st.integers(0, 15),
    "cf_list": st.just(b""),
    "rx1_dr_offset": st.integers(0, 7),
    "rx2_dr": st.integers(0, 15),
    "rx_delay_s": st.integers(0, 15),
    "rssi_dbm": st.floats(-150, 0),
    "snr_db": st.floats(-32, 31.75),
}

register()
