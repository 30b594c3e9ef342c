"""Hypothesis strategies for Basics Station messages."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway_fw.station import (
    Beaconing,
    Concentrator,
    DeviceClass,
    DnMsg,
    DnSched,
    DnTxed,
    ErrorMessage,
    IfChannel,
    RemoteCommand,
    RemoteShell,
    RouterConfig,
    Scheduled,
    StationDataRate,
    TimeSync,
    UpChannel,
    UpInfo,
    Uplink,
    Version,
    Window,
)
from lorawan.ids import Eui64

euis = st.integers(0, (1 << 64) - 1).map(Eui64)
mics = st.binary(min_size=4, max_size=4)
texts = st.text(max_size=30)
frequencies = st.integers(1, (1 << 32) - 1)
xtimes = st.integers(1, (1 << 63) - 1)
gps_times = st.integers(1, (1 << 63) - 1)
int64s = st.integers(-(1 << 63), (1 << 63) - 1)
levels = st.floats(-200, 50, allow_nan=False)
seconds = st.floats(0, 4e9, allow_nan=False)
windows = st.builds(Window, st.integers(0, 15), frequencies)


UP_HEADS, ALL_HEADS = (0x40, 0x80), (0x40, 0x80, 0x60, 0xA0)


@st.composite
def data_frames(draw: st.DrawFn, heads: tuple[int, ...] = ALL_HEADS) -> bytes:
    """A data frame of any content."""
    f_opts = draw(st.binary(max_size=15))
    head = bytes((draw(st.sampled_from(heads)),)) + draw(st.binary(min_size=4, max_size=4))
    f_ctrl = bytes((draw(st.integers(0, 15)) << 4 | len(f_opts),))
    body = head + f_ctrl + draw(st.binary(min_size=2, max_size=2)) + f_opts
    if draw(st.booleans()):
        body += draw(st.binary(min_size=1, max_size=1)) + draw(st.binary(max_size=255 - 4 - len(body) - 1))
    return body + draw(mics)


up_data_frames = data_frames(UP_HEADS)
join_requests = st.binary(min_size=22, max_size=22).map(lambda tail: b"\x00" + tail)
up_frames = st.one_of(up_data_frames, join_requests, st.binary(max_size=254).map(lambda tail: b"\xe0" + tail))
frames = st.one_of(
    up_frames,
    data_frames(),
    st.binary(min_size=22, max_size=22).map(lambda tail: b"\xc0" + tail),
    st.sampled_from((16, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n)).map(lambda tail: b"\x20" + tail),
)
up_infos = st.builds(
    UpInfo,
    int64s,
    xtimes,
    levels,
    levels,
    st.integers(0, (1 << 63) - 1),
    st.none() | st.integers(0, 999_999_999),
    st.none() | seconds,
)
uplinks = st.builds(Uplink, frames, st.integers(0, 15), frequencies, up_infos, seconds)


@st.composite
def dnmsgs(draw: st.DrawFn) -> DnMsg:
    """A dnmsg with what its class needs."""
    kind = draw(st.sampled_from(DeviceClass))
    rx1, rx2, slot = (draw(st.none() | windows) for _ in range(3))
    xtime, gps_us = draw(st.none() | xtimes), draw(st.none() | gps_times)
    if kind is DeviceClass.A:
        xtime = xtime or draw(xtimes)
        rx1 = rx1 if rx2 is not None else draw(windows)
    elif kind is DeviceClass.B:
        slot, gps_us = slot or draw(windows), gps_us or draw(gps_times)
    elif rx2 is None and (rx1 is None or xtime is None):
        rx2 = draw(windows)
    return DnMsg(
        dev_eui=draw(euis),
        device_class=kind,
        diid=draw(int64s),
        pdu=draw(st.binary(max_size=255)),
        rx_delay_s=1 if kind is DeviceClass.B else draw(st.integers(1, 15)),
        rx1=rx1,
        rx2=rx2,
        slot=slot,
        priority=draw(st.integers(0, 255)),
        xtime=xtime,
        rctx=draw(st.none() | int64s),
        gpstime_us=gps_us,
        preamble=draw(st.none() | st.integers(1, 65_535)),
        add_crc=draw(st.none() | st.booleans()),
        mux_time_s=draw(st.none() | seconds),
    )


@st.composite
def scheduled(draw: st.DrawFn) -> Scheduled:
    """A frame of a dnsched."""
    gps_us = draw(st.none() | gps_times)
    return Scheduled(
        pdu=draw(st.binary(max_size=255)),
        window=draw(windows),
        gpstime_us=gps_us,
        xtime=draw(xtimes) if gps_us is None else draw(st.none() | xtimes),
        priority=draw(st.integers(0, 255)),
        rctx=draw(st.none() | int64s),
        diid=draw(st.none() | int64s),
        preamble=draw(st.none() | st.integers(1, 65_535)),
        add_crc=draw(st.none() | st.booleans()),
    )


dnscheds = st.builds(DnSched, st.lists(scheduled(), max_size=4).map(tuple), st.none() | seconds)
dntxeds = st.builds(
    DnTxed, int64s, euis, st.none() | windows, st.integers(0, 127), xtimes, seconds, st.integers(0, (1 << 63) - 1)
)
versions = st.builds(Version, texts, st.integers(0, 255), texts, texts, texts, texts)
time_syncs = st.one_of(
    st.builds(TimeSync, int64s),
    st.builds(TimeSync, int64s, gps_times, st.none(), st.none() | seconds),
    st.builds(TimeSync, st.none(), gps_times, xtimes),
)
data_rates = st.one_of(
    st.none(),
    st.builds(StationDataRate, st.integers(7, 12), st.sampled_from((125, 250, 500)), st.booleans()),
    st.builds(StationDataRate, st.just(0), st.just(0), st.booleans()),
)
if_channels = st.builds(
    IfChannel,
    st.integers(0, 1),
    st.integers(-500_000, 500_000),
    st.none() | st.sampled_from((125_000, 250_000, 500_000)),
    st.none() | st.integers(7, 12),
    st.none() | st.just(50_000),
)
concentrators = st.builds(
    Concentrator,
    st.tuples(st.none() | frequencies, st.none() | frequencies),
    st.tuples(*[st.none() | if_channels] * 8),
    st.none() | if_channels,
    st.none() | if_channels,
)
router_configs = st.builds(
    RouterConfig,
    region=st.sampled_from(("EU868", "US915", "nowhere")),
    hwspec=st.sampled_from(("sx1301/1", "sx1301/2")),
    freq_range_hz=st.tuples(frequencies, frequencies).map(sorted).map(lambda pair: (pair[0], pair[1])),
    data_rates=st.tuples(*[data_rates] * 16),
    concentrators=st.lists(concentrators, min_size=1, max_size=2).map(tuple),
    up_channels=st.lists(st.builds(UpChannel, frequencies, st.integers(0, 7), st.integers(0, 7)), max_size=8).map(
        tuple
    ),
    net_ids=st.none() | st.lists(st.integers(0, (1 << 24) - 1), max_size=3).map(tuple),
    join_euis=st.none() | st.lists(st.tuples(euis, euis), max_size=3).map(tuple),
    no_cca=st.none() | st.booleans(),
    no_duty_cycle=st.none() | st.booleans(),
    no_dwell=st.none() | st.booleans(),
    max_eirp_dbm=st.none() | st.floats(-10, 40, allow_nan=False),
    beaconing=st.none()
    | st.builds(
        Beaconing,
        st.integers(0, 15),
        st.tuples(*[st.integers(0, 255)] * 3),
        st.lists(frequencies, min_size=1, max_size=8).map(tuple),
    ),
    mux_time_s=st.none() | seconds,
)
messages = st.one_of(
    uplinks,
    dnmsgs(),
    dnscheds,
    dntxeds,
    versions,
    time_syncs,
    router_configs,
    st.builds(RemoteCommand, texts, st.lists(texts, max_size=3).map(tuple)),
    st.builds(RemoteShell, st.none() | st.just(0), st.none() | texts),
    st.builds(ErrorMessage, texts),
)
