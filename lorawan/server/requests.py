"""What a network asks of a device: what still has to go out, what is on its way, and what came of it.

A request is repeated when an uplink comes without its answer (LoRaWAN 1.1 §5, note on lost answers). Answers come in
the order of the requests, so an answer belongs to the oldest request of its kind that was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar

from lorawan import mac_commands as mac
from lorawan.errors import MisuseError
from lorawan.machine import Dropped
from lorawan.regions import Region
from lorawan.server.memory import Request
from lorawan.version import Version

CommandT = TypeVar("CommandT", bound=mac.MacCommand)

TRIES = 8  # a device that never answers (its region ignores the command, or it is gone) is asked so often [assumption]

ANSWERS: Final[Mapping[type[mac.MacCommand], type[mac.MacCommand] | None]] = MappingProxyType(
    {
        mac.LinkAdrReq: mac.LinkAdrAns,
        mac.DutyCycleReq: mac.DutyCycleAns,
        mac.RxParamSetupReq: mac.RxParamSetupAns,
        mac.DevStatusReq: mac.DevStatusAns,
        mac.NewChannelReq: mac.NewChannelAns,
        mac.RxTimingSetupReq: mac.RxTimingSetupAns,
        mac.TxParamSetupReq: mac.TxParamSetupAns,
        mac.DlChannelReq: mac.DlChannelAns,
        mac.AdrParamSetupReq: mac.AdrParamSetupAns,
        mac.ForceRejoinReq: None,  # a Rejoin-Request is what it leads to (LoRaWAN 1.1 §5.13)
        mac.RejoinParamSetupReq: mac.RejoinParamSetupAns,
        mac.PingSlotChannelReq: mac.PingSlotChannelAns,
        mac.BeaconFreqReq: mac.BeaconFreqAns,
    }
)
"""What an operator may ask, and the answer. Source: LoRaWAN 1.1 §5, table 4."""

# Their answers stand in every uplink until a class A downlink comes (1.0.4 §5; the last two in 1.0.4 alone)
STICKY: Final[frozenset[type[mac.MacCommand]]] = frozenset(
    {mac.RxParamSetupAns, mac.RxTimingSetupAns, mac.DlChannelAns, mac.TxParamSetupAns, mac.PingSlotChannelAns}
)
STICKY_IN_1_0_4_ALONE: Final = (mac.TxParamSetupAns, mac.PingSlotChannelAns)  # 1.0.4 §5.8, §12.3
_DYNAMIC_PLANS_ONLY = (mac.NewChannelReq, mac.DlChannelReq)  # LoRaWAN 1.1 §5.7: fixed plans do not answer


@dataclass(slots=True)
class _Asked:
    request: Request
    tries: int = 0

    @property
    def kind(self) -> type[mac.MacCommand]:
        return type(self.request[0])

    @property
    def encoded(self) -> bytes:
        return mac.encode_commands(self.request)

    @property
    def answer_bytes(self) -> int:
        answer = ANSWERS[self.kind]
        return 0 if answer is None else len(self.request) * (1 + answer.length)


class Requests:
    """The requests of one session. repeating: the sticky answers of the last uplink, which may be old ones."""

    def __init__(self, waiting: Iterable[Request] = (), sent: Iterable[Request] = ()) -> None:
        self._asked = [*(_Asked(request, 1) for request in sent), *(_Asked(request) for request in waiting)]
        self.repeating: frozenset[type[mac.MacCommand]] = frozenset()

    @property
    def waiting(self) -> tuple[Request, ...]:
        """Not yet sent."""
        return tuple(asked.request for asked in self._asked if not asked.tries)

    @property
    def sent(self) -> tuple[Request, ...]:
        """Sent and not answered."""
        return tuple(asked.request for asked in self._asked if asked.tries)

    def is_open(self, kind: type[mac.MacCommand]) -> bool:
        """Whether the device was asked this, or will be, and has yet to answer."""
        return any(asked.kind is kind for asked in self._asked)

    @property
    def link_adr_asked(self) -> bool:
        """Whether a block of LinkADRReqs is on its way or waits: the network's own ADR then holds back."""
        return self.is_open(mac.LinkAdrReq)

    def ask(self, request: Request, version: Version, region: Region) -> Dropped | None:
        """Take a request in. Raises MisuseError for what no network asks or what does not make one request."""
        if not request or (len(request) > 1 and {type(command) for command in request} != {mac.LinkAdrReq}):
            raise MisuseError("a request is one command, or a block of LinkADRReqs")
        kind = type(request[0])
        if kind not in ANSWERS:
            raise MisuseError(f"{kind.__name__} is nothing that a network asks")
        if version not in kind.versions:
            return Dropped("version", kind.clause, f"{version} has no {kind.__name__}")
        silent = kind is mac.TxParamSetupReq and not region.has_tx_param_setup
        if silent or (region.fixed and kind in _DYNAMIC_PLANS_ONLY):
            return Dropped("region", kind.clause, f"devices in {region.name} pass over {kind.__name__}")
        if all(asked.request != request for asked in self._asked):  # asking twice asks once
            self._asked.append(_Asked(request))
        return None

    def take(self, kind: type[CommandT]) -> tuple[CommandT, ...] | None:
        """The oldest request of a kind that was sent: it is answered now. None where the answer is to nothing."""
        for at, asked in enumerate(self._asked):
            if asked.kind is kind and asked.tries:
                del self._asked[at]
                return tuple(command for command in asked.request if isinstance(command, kind))
        return None

    def given_up(self) -> list[tuple[Request, int]]:
        """Drop what was asked often enough without an answer, with how often."""
        over = [(asked.request, asked.tries) for asked in self._asked if asked.tries >= TRIES]
        self._asked = [asked for asked in self._asked if asked.tries < TRIES]
        return over

    def forget_sent(self) -> None:
        """The device lost what it was asked, and perhaps did: all of it waits again."""
        for asked in self._asked:
            asked.tries = 0

    def due(self, room: int, answer_room: int) -> list[Request]:
        """The requests that go out now, in order, within `room` bytes; their answers within answer_room bytes.

        One block of LinkADRReqs a downlink (LoRaWAN 1.1 §5.3). A second request of a kind waits for the answer to the
        first where these might be taken for each other: sticky answers are told apart by an uplink without them.
        Source: LoRaWAN 1.1 §5 (the network shall not ask what cannot be answered in one uplink).
        """
        due: list[_Asked] = []
        for asked in self._asked:
            answer = ANSWERS[asked.kind]
            old_answer = answer in self.repeating
            second_block = asked.kind is mac.LinkAdrReq and any(other.kind is mac.LinkAdrReq for other in due)
            if old_answer or second_block:
                continue
            if len(asked.encoded) > room or asked.answer_bytes > answer_room:
                continue
            room, answer_room = room - len(asked.encoded), answer_room - asked.answer_bytes
            due.append(asked)
        return [asked.request for asked in due]

    def went_out(self, requests: Iterable[Request]) -> None:
        """These are in the downlink that is sent now."""
        gone = list(requests)
        for asked in self._asked:
            if asked.request in gone:
                asked.tries += 1


__all__ = ["ANSWERS", "STICKY", "STICKY_IN_1_0_4_ALONE", "TRIES", "Requests"]
