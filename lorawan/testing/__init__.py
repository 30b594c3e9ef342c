"""A device and its network, joined in memory: try a MAC, or your own half of it, without a radio.

The two cores are the ones of the product; the link between them is yours to break.

>>> from lorawan.testing import Pair, Script, losing, otaa_device, silent
>>> from lorawan.version import Version
>>> pair = Pair(otaa_device(Version.V1_0_4))
>>> pair.join()
>>> pair.send(b"21.5")
>>> pair.delivered
[b'21.5']

A downlink waits for the device's next uplink:

>>> pair.queue(b"open", f_port=7)
>>> pair.send(b"22.0")
>>> pair.received
[b'open']

The first two answers are lost, and the second uplink arrives twice, so that it is answered again; the payload is
delivered once:

>>> pair = Pair(otaa_device(Version.V1_0_3))
>>> pair.join()
>>> pair.up, pair.down = Script([(0,), (0, 400_000)]), Script([(), ()])
>>> pair.send(b"alarm", confirmed=True)
>>> pair.delivered, len(pair.sent) - 1
([b'alarm'], 2)

The device loses power before its next effect but one; it starts again with what it had saved:

>>> pair.cut_power_after(1)
>>> pair.send(b"lost")
>>> pair.boots
2
"""

from lorawan.testing.devices import APP_KEY, NWK_KEY, abp_device, otaa_device
from lorawan.testing.links import LOST, ON_TIME, Copies, Link, Script, losing, perfect, silent
from lorawan.testing.pair import Downlink, Pair

__all__ = [
    "APP_KEY",
    "LOST",
    "NWK_KEY",
    "ON_TIME",
    "Copies",
    "Downlink",
    "Link",
    "Pair",
    "Script",
    "abp_device",
    "losing",
    "otaa_device",
    "perfect",
    "silent",
]
