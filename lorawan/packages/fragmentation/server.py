"""The server side of the fragmented data block transport, for one device: set up, send, ask, send what is missing.

Source: TS004-2.0.0 §3.2–3.6 and annex A.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lorawan.crypto import mic_data_block
from lorawan.errors import MisuseError
from lorawan.ids import AesKey
from lorawan.machine import Dropped, Instant
from lorawan.packages.asking import ASK_AGAIN_US, TRIES, Answered, Asking, Unanswered
from lorawan.packages.commands import Package, PackageCommand
from lorawan.packages.events import PackageUplinkHeard, SendDownlink
from lorawan.packages.fragmentation.commands import (
    FRAGMENTATION_V2,
    DataFragment,
    FragDataBlockReceivedAns,
    FragDataBlockReceivedReq,
    FragSessionSetupAns,
    FragSessionSetupReq,
    FragSessionSetupReqV1,
    FragSessionStatusAns,
    FragSessionStatusAnsV1,
    FragSessionStatusReq,
)
from lorawan.packages.fragmentation.fec import MAX_N, coded, split
from lorawan.packages.fragmentation.phases import Phase, Step, advance
from lorawan.units import US_PER_S


@dataclass(frozen=True, slots=True)
class Transfer:
    """A block and how it goes. session_cnt and data_block_int_key: version 2; session_cnt rises with each transfer.

    redundancy: coded fragments sent before the first question; margin: how many more than are missing are sent after
    it, for at most `rounds` questions. interval_us: between two fragments, for the gateway's and the class's sake.
    multicast: fragments go to the group (and mc_group_bit_mask lets them in); the rest stays unicast.
    """

    block: bytes
    frag_size: int
    package: Package = FRAGMENTATION_V2
    data_block_int_key: AesKey | None = None
    session_cnt: int = 0
    frag_index: int = 0
    descriptor: int = 0
    redundancy: int = 10
    margin: int = 2
    block_ack_delay: int = 0
    ack_reception: bool = False
    mc_group_bit_mask: int = 0
    multicast: bool = False
    interval_us: int = 5 * US_PER_S
    again_us: int = ASK_AGAIN_US
    tries: int = TRIES
    rounds: int = 50

    def __post_init__(self) -> None:
        if self.package.version >= 2 and self.data_block_int_key is None:
            raise MisuseError("version 2 sends a MIC: give data_block_int_key")


@dataclass(frozen=True, slots=True)
class StartTransfer:
    """Event: begin."""


@dataclass(frozen=True, slots=True)
class TransferDone:
    """Effect: the device has the block."""

    fragments_sent: int


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """Effect: it will not get it. reason: refused, unanswered, mic, memory or exhausted."""

    reason: str
    detail: str = ""


FragmentationServerEvent: TypeAlias = StartTransfer | PackageUplinkHeard
FragmentationServerEffect: TypeAlias = SendDownlink | TransferDone | TransferFailed | Dropped


def _answers(request: PackageCommand, answer: PackageCommand) -> bool:
    """By CID and FragIndex; a status without a session names none."""
    if request.cid != answer.cid:
        return False
    if isinstance(answer, FragSessionStatusAns) and answer.session_does_not_exist:
        return True
    return getattr(request, "frag_index", None) == getattr(answer, "frag_index", None)


class FragmentationServer:
    """One transfer to one device. Raises FrameError for a block that fits no session."""

    def __init__(self, transfer: Transfer) -> None:
        self.transfer = transfer
        self.phase = Phase.IDLE
        self._fragments, self._padding = split(transfer.block, transfer.frag_size)
        self._asking = Asking(transfer.package, match=_answers, again_us=transfer.again_us, tries=transfer.tries)
        self._sent = 0  # the number of the last fragment; _total counts them all
        self._total = 0
        self._until = len(self._fragments) + transfer.redundancy
        self._next: Instant | None = None
        self._missing = len(self._fragments)
        self._rounds = 0

    @property
    def wake_at(self) -> Instant | None:
        """When the next fragment is due, or a question is to be repeated."""
        return self._next if self.phase is Phase.SENDING else self._asking.wake_at

    def handle(self, event: FragmentationServerEvent, now: Instant) -> Sequence[FragmentationServerEffect]:
        """Start, or take an uplink in."""
        if isinstance(event, StartTransfer):
            self.phase = advance(self.phase, Step.STARTED)
            return self._narrow(self._asking.ask(self._setup(), now), now)
        parsed, effects = self._asking.heard(event.payload)
        out = self._narrow(effects, now)
        for command in parsed.commands:
            if isinstance(command, FragDataBlockReceivedReq) and command.frag_index == self.transfer.frag_index:
                out += self._received(command)
        return out

    def wake(self, now: Instant) -> Sequence[FragmentationServerEffect]:
        """Send the next fragment, or repeat a question."""
        if self.phase is not Phase.SENDING:
            return self._narrow(self._asking.wake(now), now)
        if self._next is None or now < self._next:
            return ()
        if self._sent >= min(self._until, MAX_N):
            self.phase, self._next = advance(self.phase, Step.ALL_SENT), None
            return self._narrow(self._asking.ask(FragSessionStatusReq(self.transfer.frag_index, True), now), now)
        self._sent += 1
        self._total += 1
        transfer = self.transfer
        value = coded(self._fragments, self._sent, transfer.package.version)
        fragment = DataFragment(self._sent, transfer.frag_index, value.to_bytes(transfer.frag_size, "big"))
        self._next = now + transfer.interval_us
        return (SendDownlink(fragment.encode(), transfer.multicast),)

    def _setup(self) -> PackageCommand:
        t, nb_frag = self.transfer, len(self._fragments)
        if t.data_block_int_key is None:
            return FragSessionSetupReqV1(
                t.mc_group_bit_mask,
                t.frag_index,
                nb_frag,
                t.frag_size,
                t.block_ack_delay,
                0,
                self._padding,
                t.descriptor,
            )
        return FragSessionSetupReq(
            mc_group_bit_mask=t.mc_group_bit_mask,
            frag_index=t.frag_index,
            nb_frag=nb_frag,
            frag_size=t.frag_size,
            block_ack_delay=t.block_ack_delay,
            frag_algo=0,
            ack_reception=t.ack_reception,
            padding=self._padding,
            descriptor=t.descriptor,
            session_cnt=t.session_cnt,
            mic=mic_data_block(t.data_block_int_key, t.session_cnt, t.frag_index, t.descriptor, t.block),
        )

    def _narrow(
        self, effects: Sequence[SendDownlink | Answered | Unanswered | Dropped], now: Instant
    ) -> list[FragmentationServerEffect]:
        out: list[FragmentationServerEffect] = []
        for effect in effects:
            match effect:
                case Answered():
                    out += self._answered(effect.answer, now)
                case Unanswered():
                    out.append(self._fail("unanswered", type(effect.request).__name__))
                case _:
                    out.append(effect)
        return out

    def _answered(self, answer: PackageCommand, now: Instant) -> list[FragmentationServerEffect]:
        match answer:
            case FragSessionSetupAns() if self.phase is Phase.SETTING_UP:
                if not answer.accepted:
                    return [self._fail("refused", str(answer))]
                self.phase, self._next = advance(self.phase, Step.ACCEPTED), now
            case FragSessionStatusAns() | FragSessionStatusAnsV1() if self.phase is Phase.ASKING:
                if isinstance(answer, FragSessionStatusAns) and answer.session_does_not_exist:
                    return [self._fail("refused", "the device has no such session")]
                if answer.memory_error:
                    return [self._fail("memory", f"{answer.missing_frag} are missing")]
                if answer.missing_frag:
                    return self._send_more(answer.missing_frag, now)
                return [self._complete(isinstance(answer, FragSessionStatusAns) and answer.mic_error)]
        return []

    def _send_more(self, missing: int, now: Instant) -> list[FragmentationServerEffect]:
        """Coded fragments go on; from the first fragment again where the last ones did not help.

        They cannot always: where nb_frag // 2 is even, every coded fragment is the sum of an even number of others, so
        a device that has none of the others lacks one for ever.
        """
        self._rounds += 1
        if self._rounds > self.transfer.rounds:
            return [self._fail("exhausted", f"{missing} are missing after {self._rounds} rounds")]
        if missing >= self._missing or self._sent >= MAX_N:
            self._sent, self._until = 0, len(self._fragments) + self.transfer.redundancy
        else:
            self._until = self._sent + missing + self.transfer.margin
        self._missing = missing
        self.phase, self._next = advance(self.phase, Step.MISSING), now
        return []

    def _received(self, command: FragDataBlockReceivedReq) -> list[FragmentationServerEffect]:
        out: list[FragmentationServerEffect] = [SendDownlink(FragDataBlockReceivedAns(command.frag_index).encode())]
        if self.phase in (Phase.SENDING, Phase.ASKING):
            out.append(self._complete(command.mic_error))
        return out

    def _complete(self, mic_error: bool) -> TransferDone | TransferFailed:
        if mic_error:
            return self._fail("mic", "the device's block is another one")
        self.phase = advance(self.phase, Step.COMPLETE)
        self._asking.forget()
        return TransferDone(self._total)

    def _fail(self, reason: str, detail: str) -> TransferFailed:
        self.phase = advance(self.phase, Step.GAVE_UP)
        self._asking.forget()
        return TransferFailed(reason, detail)
