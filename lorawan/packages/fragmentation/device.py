"""The device side of the fragmented data block transport: up to four sessions, fed in any order and with losses.

Source: TS004-2.0.0 §3.2–3.6 and §4; TS004-1.0.0 §3 where version 1 differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from lorawan.crypto import mic_data_block
from lorawan.draws import Draws
from lorawan.errors import MisuseError
from lorawan.ids import AesKey
from lorawan.machine import Dropped, Instant
from lorawan.packages.commands import Package, PackageCommand, PackageVersionReq
from lorawan.packages.events import PackageDownlink, PackageUplink, uplinks_of
from lorawan.packages.fragmentation.commands import (
    FRAGMENTATION_V2,
    DataFragment,
    FragDataBlockReceivedAns,
    FragDataBlockReceivedReq,
    FragSessionDeleteAns,
    FragSessionDeleteReq,
    FragSessionSetupAns,
    FragSessionSetupReq,
    FragSessionSetupReqV1,
    FragSessionStatusAns,
    FragSessionStatusAnsV1,
    FragSessionStatusReq,
)
from lorawan.packages.fragmentation.fec import MAX_N, Decoder, Progress
from lorawan.units import US_PER_S

NEVER: Final = -1  # TS004-2.0.0 §3.3: SessionCntPrev before the first session
_MISSING_MAX: Final = 255  # MissingFrag has one byte


@dataclass(frozen=True, slots=True)
class FragmentationConfig:
    """data_block_int_key: version 2 only. max_sessions: 1–4. max_block_bytes: room for one block, padding included.

    max_lines: of the decoder's matrix. received_tries: how often FragDataBlockReceivedReq is sent while unanswered,
    which is the application's choice (TS004-2.0.0 §3.5); three is what SWL2001@9a14f677 does.
    """

    package: Package = FRAGMENTATION_V2
    data_block_int_key: AesKey | None = None
    max_sessions: int = 4
    max_block_bytes: int = 1 << 20
    max_lines: int = 512
    received_tries: int = 3

    def __post_init__(self) -> None:
        if self.package.version >= 2 and self.data_block_int_key is None:
            raise MisuseError("version 2 checks a MIC: give data_block_int_key")


@dataclass(frozen=True, slots=True)
class FragmentationMemory:
    """What survives a power cut: the last SessionCnt of each FragIndex that fragments came for."""

    session_cnt_prev: tuple[int, int, int, int] = (NEVER, NEVER, NEVER, NEVER)


@dataclass(frozen=True, slots=True)
class PersistFragmentation:
    """Effect: write this durably; the effects after it wait until it is."""

    memory: FragmentationMemory


@dataclass(frozen=True, slots=True)
class BlockReceived:
    """Effect: a data block is complete. mic_ok: None in version 1, which has none; False: do not use the block."""

    frag_index: int
    descriptor: int
    block: bytes
    mic_ok: bool | None


FragmentationDeviceEvent: TypeAlias = PackageDownlink
FragmentationDeviceEffect: TypeAlias = PackageUplink | PersistFragmentation | BlockReceived | Dropped


@dataclass(slots=True)
class _Session:
    setup: FragSessionSetupReq | FragSessionSetupReqV1
    decoder: Decoder
    received: int = 0
    aborted: bool = False
    mic_ok: bool | None = None

    @property
    def complete(self) -> bool:
        return not self.decoder.missing


@dataclass(slots=True)
class _Later:
    """An uplink that waits for its draw within 2^(BlockAckDelay + 4) s."""

    at: Instant
    command: PackageCommand
    spread_us: int
    tries_left: int = 1


class FragmentationDevice:
    """One device's sessions."""

    def __init__(self, config: FragmentationConfig, draws: Draws, memory: FragmentationMemory | None = None) -> None:
        self.config = config
        self.memory = memory or FragmentationMemory()
        self._draws = draws.at("block_ack_delay")
        self._delays = 0
        self._sessions: dict[int, _Session] = {}
        self._later: list[_Later] = []

    @property
    def wake_at(self) -> Instant | None:
        """When a delayed answer is due."""
        return min((later.at for later in self._later), default=None)

    def wake(self, now: Instant) -> Sequence[FragmentationDeviceEffect]:
        """Send the answers whose delay is over."""
        due = [later for later in self._later if later.at <= now]
        self._later = [later for later in self._later if later.at > now]
        effects: list[FragmentationDeviceEffect] = []
        for later in sorted(due, key=lambda entry: entry.at):
            effects.append(PackageUplink((later.command,)))
            if later.tries_left > 1:
                self._plan(later.command, later.spread_us, now + later.spread_us, later.tries_left - 1)
        return effects

    def handle(self, event: FragmentationDeviceEvent, now: Instant) -> Sequence[FragmentationDeviceEffect]:
        """Take a downlink in."""
        package = self.config.package
        parsed = package.parse(event.payload, uplink=False)
        answers: list[PackageCommand] = []
        effects: list[FragmentationDeviceEffect] = []
        for command in parsed.commands:
            match command:
                case DataFragment():
                    if len(parsed.commands) > 1:
                        effects.append(Dropped("not_alone", f"{package.clause}", "DataFragment with other commands"))
                    else:
                        effects += self._fragment(command, event.mc_group_id, now)
                case FragSessionStatusReq():
                    effects += self._status(command, now)
                case _ if event.mc_group_id is not None:
                    effects.append(Dropped("multicast", package.clause, f"{type(command).__name__} is unicast only"))
                case PackageVersionReq():
                    answers.append(package.version_ans)
                case FragSessionSetupReq() | FragSessionSetupReqV1():
                    answers.append(self._setup(command))
                case FragSessionDeleteReq():
                    known = self._forget(command.frag_index)
                    answers.append(FragSessionDeleteAns(command.frag_index, not known))
                case FragDataBlockReceivedAns():
                    self._unplan(FragDataBlockReceivedReq, command.frag_index)
        if parsed.rest:
            effects.append(Dropped("command", package.clause, f"not understood: {parsed.rest.hex()}"))
        return [*uplinks_of(answers, event.room_bytes), *effects]

    # -- sessions --------------------------------------------------------------------------------------------------

    def _setup(self, setup: FragSessionSetupReq | FragSessionSetupReqV1) -> FragSessionSetupAns:
        """An accepted one replaces the session that had the index; a refused one leaves it.

        Version 1 asks its server to delete a session before (TS004-1.0.0 §3.3), and says not what a device does where
        that was left out: the session is replaced, as LoRaMac-node does it; but a setup that comes again under way is
        not another one.
        """
        config, index = self.config, setup.frag_index
        current = self._sessions.get(index)
        again = current is not None and current.setup == setup and not current.complete
        if isinstance(setup, FragSessionSetupReqV1) and again:
            return FragSessionSetupAns(index, False, False, False, False, False)
        size = setup.nb_frag * setup.frag_size
        # fragments without bytes, or more padding than a fragment has, are no block: refused as one that has no room
        senseless = not size or setup.padding >= setup.frag_size or setup.nb_frag > MAX_N
        answer = FragSessionSetupAns(
            frag_index=index,
            frag_algo_unsupported=setup.frag_algo != 0,
            not_enough_memory=senseless or size > config.max_block_bytes,
            frag_index_unsupported=index >= config.max_sessions,
            wrong_descriptor=False,
            session_cnt_replay=isinstance(setup, FragSessionSetupReq)
            and setup.session_cnt <= self.memory.session_cnt_prev[index],
        )
        if answer.accepted:
            self._forget(index)
            decoder = Decoder(setup.nb_frag, setup.frag_size, config.package.version, config.max_lines)
            self._sessions[index] = _Session(setup, decoder)
        return answer

    def _forget(self, frag_index: int) -> bool:
        for kind in (FragDataBlockReceivedReq, FragSessionStatusAns, FragSessionStatusAnsV1):
            self._unplan(kind, frag_index)
        return self._sessions.pop(frag_index, None) is not None

    def _fragment(
        self, command: DataFragment, mc_group_id: int | None, now: Instant
    ) -> Sequence[FragmentationDeviceEffect]:
        clause = f"{self.config.package.clause}.6"
        session = self._sessions.get(command.frag_index)
        if session is None:
            return (Dropped("session", clause, f"no session {command.frag_index}"),)
        setup = session.setup
        if mc_group_id is not None and not setup.mc_group_bit_mask >> mc_group_id & 1:
            return (Dropped("multicast", clause, f"group {mc_group_id} may not feed session {command.frag_index}"),)
        if session.complete or session.aborted:
            return (Dropped("session_over", clause, f"session {command.frag_index}"),)
        if command.n < 1 or len(command.fragment) != setup.frag_size:
            return (Dropped("fragment", clause, f"n {command.n}, {len(command.fragment)} bytes"),)
        effects: list[FragmentationDeviceEffect] = []
        if isinstance(setup, FragSessionSetupReq) and not session.received:
            previous = list(self.memory.session_cnt_prev)
            previous[command.frag_index] = setup.session_cnt
            self.memory = replace(self.memory, session_cnt_prev=(previous[0], previous[1], previous[2], previous[3]))
            effects.append(PersistFragmentation(self.memory))
        session.received = min(session.received + 1, MAX_N)
        match session.decoder.add(command.n, command.fragment):
            case Progress.OUT_OF_MEMORY:
                session.aborted = True
                effects.append(Dropped("memory", clause, f"{self.config.max_lines} lines are not enough"))
            case Progress.COMPLETE:
                effects.append(self._completed(session, now))
            case Progress.USEFUL | Progress.USELESS:
                pass
        return effects

    def _completed(self, session: _Session, now: Instant) -> BlockReceived:
        setup = session.setup
        block = session.decoder.block(setup.padding)
        key = self.config.data_block_int_key
        if isinstance(setup, FragSessionSetupReq) and key is not None:
            mic = mic_data_block(key, setup.session_cnt, setup.frag_index, setup.descriptor, block)
            session.mic_ok = mic == setup.mic
            if setup.ack_reception:
                received = FragDataBlockReceivedReq(setup.frag_index, not session.mic_ok)
                self._plan(received, _spread_us(setup), now, self.config.received_tries)
        return BlockReceived(setup.frag_index, setup.descriptor, block, session.mic_ok)

    # -- answers that wait -----------------------------------------------------------------------------------------

    def _status(self, request: FragSessionStatusReq, now: Instant) -> Sequence[FragmentationDeviceEffect]:
        session = self._sessions.get(request.frag_index)
        clause = f"{self.config.package.clause}.2"
        if session is None:
            if self.config.package.version == 1 or not request.participants:
                # version 1 cannot say so; and who has no session misses none of its fragments
                return (Dropped("session", clause, f"no session {request.frag_index}"),)
            return (PackageUplink((FragSessionStatusAns(False, False, True, 0, 0, 0),)),)
        if session.complete and not request.participants:
            return ()
        missing = min(session.decoder.missing, _MISSING_MAX)
        index = request.frag_index
        answer: PackageCommand
        if self.config.package.version == 1:
            answer = FragSessionStatusAnsV1(session.received, index, missing, session.aborted)
        else:
            mic_error = session.mic_ok is False
            answer = FragSessionStatusAns(session.aborted, mic_error, False, session.received, index, missing)
        self._unplan(type(answer), index)  # the newest state is the one to tell
        self._plan(answer, _spread_us(session.setup), now, 1)
        return ()

    def _plan(self, command: PackageCommand, spread_us: int, after: Instant, tries: int) -> None:
        delay_us = self._draws.integer(spread_us, self._delays)
        self._delays += 1
        self._later.append(_Later(after + delay_us, command, spread_us, tries))

    def _unplan(self, kind: type[PackageCommand], frag_index: int) -> None:
        self._later = [
            later
            for later in self._later
            if not (isinstance(later.command, kind) and getattr(later.command, "frag_index", None) == frag_index)
        ]


def _spread_us(setup: FragSessionSetupReq | FragSessionSetupReqV1) -> int:
    """Answers come within 2^(BlockAckDelay + 4) s. Source: TS004-2.0.0 §3.3."""
    return US_PER_S << setup.block_ack_delay + 4
