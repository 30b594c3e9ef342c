"""Every command that goes down can be asked of a device, once where it has no answer and until it is answered else.

Source: TS003-2.0.0 §3, TS004-2.0.0 §3, TS005-2.0.0 §4, TS006-1.0.0 §3 and TS009-1.1.0 §5: an answer has the CID of its
request; asking again is ours.
"""

from __future__ import annotations

import pytest

from lorawan.packages import PACKAGES, Package
from lorawan.packages.asking import Answered, Ask, AskingServer
from lorawan.packages.commands import PackageCommand
from lorawan.packages.events import PackageUplinkHeard, SendDownlink

# By PackageIdentifier, from the documents' tables of commands. Answers that go down: TS003-2.0.0 §3.2, TS004-2.0.0 §3.5
ANSWERS_DOWN = {(1, 0x01), (3, 0x04)}
# Without an answer: TS003-2.0.0 §3.4, TS004-2.0.0 §3.6; of TS009-1.1.0 §5 all but version, echo, counters and versions
UNANSWERED = {1: {0x03}, 3: {0x08}, 6: {*range(0x01, 0x08), 0x0A, 0x20, 0x21, 0x22, 0x40, 0x43, 0x7D, 0x7E}}
REQUESTS = [
    pytest.param(package, cid, id=f"package-{package.identifier}-v{package.version}-{cid:02X}")
    for package in PACKAGES
    for uplink, cid in package.registry
    if not uplink and (package.identifier, cid) not in ANSWERS_DOWN
]


def first(package: Package, cid: int, *, uplink: bool) -> PackageCommand:
    """The command of that number, with a payload of zeros."""
    return package.parse(bytes((cid,)) + bytes(40), uplink=uplink).commands[0]


@pytest.mark.parametrize(("package", "cid"), REQUESTS)
def test_every_command_can_be_asked_until_its_answer_comes(package: Package, cid: int) -> None:
    request = first(package, cid, uplink=False)
    server = AskingServer(package, again_us=100)
    sent = SendDownlink(request.encode())
    assert server.handle(Ask(request), 0) == (sent,)
    answered = cid not in UNANSWERED.get(package.identifier, ())
    assert (server.wake_at is not None) is answered
    if answered:
        assert server.wake(100) == [sent]
        answer = first(package, cid, uplink=True)
        assert server.handle(PackageUplinkHeard(answer.encode()), 150) == [Answered(request, answer)]
        assert server.wake_at is None
