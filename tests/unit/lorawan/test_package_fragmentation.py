"""Fragmented data blocks (TS004): the sessions of a device and the transfers of a server."""

from __future__ import annotations

from itertools import product

import pytest

from lorawan.crypto import derive_data_block_int_key, mic_data_block
from lorawan.draws import Draws
from lorawan.errors import MisuseError
from lorawan.ids import AesKey
from lorawan.machine import Dropped
from lorawan.packages.commands import PackageCommand, PackageVersionAns, PackageVersionReq, encode_commands
from lorawan.packages.events import PackageDownlink, PackageUplink, PackageUplinkHeard, SendDownlink
from lorawan.packages.fragmentation import (
    FRAGMENTATION_V1,
    BlockReceived,
    DataFragment,
    FragDataBlockReceivedAns,
    FragDataBlockReceivedReq,
    FragmentationConfig,
    FragmentationDevice,
    FragmentationMemory,
    FragmentationServer,
    FragSessionDeleteAns,
    FragSessionDeleteReq,
    FragSessionSetupAns,
    FragSessionSetupReq,
    FragSessionSetupReqV1,
    FragSessionStatusAns,
    FragSessionStatusAnsV1,
    FragSessionStatusReq,
    PersistFragmentation,
    StartTransfer,
    Transfer,
    TransferDone,
    TransferFailed,
    coded,
    split,
)
from lorawan.packages.fragmentation.phases import Phase, Step, advance
from lorawan.units import US_PER_S

KEY = derive_data_block_int_key(AesKey(bytes(range(16))))
BLOCK = bytes(range(95))


# -- a device ------------------------------------------------------------------------------------------------------


def device_of(**changes: object) -> FragmentationDevice:
    memory = changes.pop("memory", None)
    config = FragmentationConfig(**({"data_block_int_key": KEY} | changes))  # type: ignore[arg-type]
    return FragmentationDevice(config, Draws.of_seed(1), memory)  # type: ignore[arg-type]


def setup_of(block: bytes = BLOCK, **changes: object) -> FragSessionSetupReq:
    fields: dict[str, object] = {
        "mc_group_bit_mask": 0, "frag_index": 0, "nb_frag": 10, "frag_size": 10, "block_ack_delay": 0, "frag_algo": 0,
        "ack_reception": False, "padding": 5, "descriptor": 0, "session_cnt": 0,
    }  # fmt: skip
    fields |= changes
    session_cnt, index = fields["session_cnt"], fields["frag_index"]
    fields.setdefault("mic", mic_data_block(KEY, session_cnt, index, 0, block))  # type: ignore[arg-type]
    return FragSessionSetupReq(**fields)  # type: ignore[arg-type]


def down(*commands: PackageCommand, group: int | None = None) -> PackageDownlink:
    return PackageDownlink(encode_commands(commands), group)


def fragment(n: int, block: bytes = BLOCK, index: int = 0, version: int = 2) -> DataFragment:
    fragments, _ = split(block, 10)
    return DataFragment(n, index, coded(fragments, n, version).to_bytes(10, "big"))


def answer_of(effects: object) -> PackageCommand:
    assert isinstance(effects, list | tuple)
    (uplink,) = effects
    assert isinstance(uplink, PackageUplink)
    (command,) = uplink.commands
    return command


def reasons(effects: object) -> list[str]:
    assert isinstance(effects, list | tuple)
    return [effect.reason for effect in effects if isinstance(effect, Dropped)]


ACCEPTED = FragSessionSetupAns(0, False, False, False, False, False)


def test_fragments_in_any_order_make_the_block() -> None:
    device = device_of()
    assert answer_of(device.handle(down(setup_of()), 0)) == ACCEPTED
    effects = []
    for n in (14, 3, 12, 1, 19, 2, 10, 11, 5, 16, 17, 18, 13):
        effects += device.handle(down(fragment(n)), 0)
    assert effects[0] == PersistFragmentation(FragmentationMemory((0, -1, -1, -1)))
    assert BlockReceived(0, 0, BLOCK, True) in effects


def test_a_block_with_another_mic_is_reported() -> None:
    device = device_of()
    device.handle(down(setup_of(mic=b"wron", ack_reception=True)), 0)
    effects = [e for n in range(1, 11) for e in device.handle(down(fragment(n)), 0)]
    assert BlockReceived(0, 0, BLOCK, False) in effects
    due = device.wake_at
    assert due is not None
    assert due < 16 * US_PER_S
    assert answer_of(device.wake(due)) == FragDataBlockReceivedReq(0, True)


def test_a_received_block_is_reported_until_that_is_answered() -> None:
    device = device_of(received_tries=3)
    device.handle(down(setup_of(ack_reception=True)), 0)
    for n in range(1, 11):
        device.handle(down(fragment(n)), 0)
    sent = 0
    while device.wake_at is not None:
        sent += len(device.wake(device.wake_at))
    assert sent == 3
    device.handle(down(FragSessionDeleteReq(0)), 0)
    device.handle(down(setup_of(ack_reception=True, session_cnt=1)), 0)
    for n in range(1, 11):
        device.handle(down(fragment(n)), 0)
    assert device.wake_at is not None
    assert answer_of(device.wake(device.wake_at)) == FragDataBlockReceivedReq(0, False)
    device.handle(down(FragDataBlockReceivedAns(0)), 0)
    assert device.wake_at is None


def test_a_new_session_does_not_answer_for_the_old() -> None:
    device = device_of()
    device.handle(down(setup_of(ack_reception=True)), 0)
    for n in range(1, 11):
        device.handle(down(fragment(n)), 0)
    assert device.wake_at is not None
    device.handle(down(setup_of(session_cnt=1)), 0)
    assert device.wake_at is None


def test_a_session_counter_never_comes_again() -> None:
    device = device_of(memory=FragmentationMemory((7, -1, -1, -1)))
    for count, replayed in ((6, True), (7, True), (8, False)):
        answer = answer_of(device.handle(down(setup_of(session_cnt=count)), 0))
        assert answer == FragSessionSetupAns(0, False, False, False, False, replayed)
    # TS004-2.0.0 §3.3: it is the first fragment that uses it up
    assert answer_of(device.handle(down(setup_of(session_cnt=8)), 0)) == ACCEPTED
    device.handle(down(fragment(1)), 0)
    assert device.memory.session_cnt_prev == (8, -1, -1, -1)
    assert answer_of(device.handle(down(setup_of(session_cnt=8)), 0)) == FragSessionSetupAns(
        0, False, False, False, False, True
    )
    # the session that the replay came for is not touched
    assert reasons(device.handle(down(fragment(2)), 0)) == []


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"frag_algo": 1}, (True, False, False)),
        ({"nb_frag": 100}, (False, True, False)),
        ({"nb_frag": 0}, (False, True, False)),
        ({"padding": 10}, (False, True, False)),
        ({"frag_index": 2}, (False, False, True)),
    ],
)
def test_setups_that_are_refused(changes: dict[str, int], flags: tuple[bool, bool, bool]) -> None:
    device = device_of(max_block_bytes=500, max_sessions=2)
    answer = answer_of(device.handle(down(setup_of(**changes)), 0))
    assert answer == FragSessionSetupAns(changes.get("frag_index", 0), *flags, False, False)
    assert reasons(device.handle(down(fragment(1)), 0)) == ["session"]


def test_status_says_what_is_missing() -> None:
    device = device_of()
    device.handle(down(setup_of()), 0)
    for n in (1, 1, 2, 15):
        device.handle(down(fragment(n)), 0)
    assert device.handle(down(FragSessionStatusReq(0, False)), 0) == []
    assert device.wake_at is not None
    # four received in all, three of them useful
    assert answer_of(device.wake(device.wake_at)) == FragSessionStatusAns(False, False, False, 4, 0, 7)


def test_who_has_everything_answers_only_if_all_are_asked() -> None:
    device = device_of()
    device.handle(down(setup_of()), 0)
    for n in range(1, 11):
        device.handle(down(fragment(n)), 0)
    device.handle(down(FragSessionStatusReq(0, False)), 0)
    assert device.wake_at is None
    device.handle(down(FragSessionStatusReq(0, True), group=2), 0)  # may come by multicast
    assert device.wake_at is not None
    assert answer_of(device.wake(device.wake_at)) == FragSessionStatusAns(False, False, False, 10, 0, 0)


def test_a_session_that_does_not_exist() -> None:
    device = device_of()
    assert answer_of(device.handle(down(FragSessionStatusReq(1, True)), 0)) == FragSessionStatusAns(
        False, False, True, 0, 0, 0
    )
    assert reasons(device.handle(down(FragSessionStatusReq(1, False)), 0)) == ["session"]
    assert answer_of(device.handle(down(FragSessionDeleteReq(1)), 0)) == FragSessionDeleteAns(1, True)
    device.handle(down(setup_of()), 0)
    assert answer_of(device.handle(down(FragSessionDeleteReq(0)), 0)) == FragSessionDeleteAns(0, False)
    assert reasons(device.handle(down(fragment(1)), 0)) == ["session"]


def test_only_the_groups_that_were_named_may_feed_a_session() -> None:
    device = device_of()
    device.handle(down(setup_of(mc_group_bit_mask=0b0100)), 0)
    assert reasons(device.handle(down(fragment(1), group=1), 0)) == ["multicast"]
    assert reasons(device.handle(down(fragment(1), group=2), 0)) == []
    assert reasons(device.handle(down(fragment(2)), 0)) == []  # unicast always may


def test_control_commands_are_unicast() -> None:
    device = device_of()
    for command in (PackageVersionReq(), setup_of(), FragSessionDeleteReq(0)):
        assert reasons(device.handle(down(command, group=0), 0)) == ["multicast"]
    assert answer_of(device.handle(down(PackageVersionReq()), 0)) == PackageVersionAns(3, 2)


def test_fragments_that_are_not_taken() -> None:
    device = device_of()
    device.handle(down(setup_of()), 0)
    assert reasons(device.handle(down(DataFragment(0, 0, bytes(10))), 0)) == ["fragment"]
    assert reasons(device.handle(down(DataFragment(1, 0, bytes(9))), 0)) == ["fragment"]
    assert reasons(device.handle(down(FragSessionStatusReq(0, True), fragment(1)), 0)) == ["not_alone"]
    for n in range(1, 11):
        device.handle(down(fragment(n)), 0)
    assert reasons(device.handle(down(fragment(11)), 0)) == ["session_over"]


def test_a_matrix_that_is_too_small_aborts_the_session() -> None:
    device = device_of(max_lines=1)
    device.handle(down(setup_of()), 0)
    effects = [e for n in (11, 12, 13) for e in device.handle(down(fragment(n)), 0)]
    assert reasons(effects) == ["memory", "session_over"]
    device.handle(down(FragSessionStatusReq(0, True)), 0)
    assert device.wake_at is not None
    answer = answer_of(device.wake(device.wake_at))
    assert isinstance(answer, FragSessionStatusAns)
    assert answer.memory_error


def test_version_1_has_neither_counter_nor_mic() -> None:
    device = FragmentationDevice(FragmentationConfig(FRAGMENTATION_V1), Draws.of_seed(1))
    setup = FragSessionSetupReqV1(0, 0, 10, 10, 0, 0, 5, 9)
    assert answer_of(device.handle(down(setup), 0)) == ACCEPTED
    effects = list(device.handle(down(fragment(1, version=1)), 0))
    assert answer_of(device.handle(down(setup), 0)) == ACCEPTED  # our answer was lost: the fragment stays
    effects += [e for n in range(2, 11) for e in device.handle(down(fragment(n, version=1)), 0)]
    assert BlockReceived(0, 9, BLOCK, None) in effects
    device.handle(down(FragSessionStatusReq(0, True)), 0)
    assert device.wake_at is not None
    answer = answer_of(device.wake(device.wake_at))
    assert isinstance(answer, FragSessionStatusAnsV1)
    assert (answer.missing_frag, answer.memory_error) == (0, False)


def test_version_2_needs_its_key() -> None:
    with pytest.raises(MisuseError):
        FragmentationConfig()
    with pytest.raises(MisuseError):
        Transfer(BLOCK, 10)


# -- a server ------------------------------------------------------------------------------------------------------

LEGAL = {
    (Phase.IDLE, Step.STARTED): Phase.SETTING_UP,
    (Phase.SETTING_UP, Step.ACCEPTED): Phase.SENDING,
    (Phase.SETTING_UP, Step.GAVE_UP): Phase.FAILED,
    (Phase.SENDING, Step.ALL_SENT): Phase.ASKING,
    (Phase.SENDING, Step.COMPLETE): Phase.DONE,  # FragDataBlockReceivedReq came first
    (Phase.SENDING, Step.GAVE_UP): Phase.FAILED,  # it came with MICError
    (Phase.ASKING, Step.MISSING): Phase.SENDING,
    (Phase.ASKING, Step.COMPLETE): Phase.DONE,
    (Phase.ASKING, Step.GAVE_UP): Phase.FAILED,
}


@pytest.mark.parametrize(("phase", "step"), list(product(Phase, Step)), ids=lambda x: x.name)
def test_only_these_transitions_are_legal(phase: Phase, step: Step) -> None:
    if (phase, step) in LEGAL:
        assert advance(phase, step) is LEGAL[phase, step]
    else:
        with pytest.raises(MisuseError, match=f"{step.name}.*{phase.name}"):
            advance(phase, step)


def server_of(**changes: object) -> FragmentationServer:
    fields: dict[str, object] = {"data_block_int_key": KEY, "redundancy": 2, "margin": 1, "interval_us": 10}
    return FragmentationServer(Transfer(BLOCK, 10, **(fields | changes)))  # type: ignore[arg-type]


def heard(command: PackageCommand) -> PackageUplinkHeard:
    return PackageUplinkHeard(command.encode())


def drain(server: FragmentationServer, now: int = 0) -> list[str]:
    """What it sends until it asks, as hex CIDs."""
    sent: list[str] = []
    while server.phase is Phase.SENDING:
        assert server.wake_at is not None
        now = max(now, server.wake_at)
        sent += [effect.payload.hex()[:2] for effect in server.wake(now) if isinstance(effect, SendDownlink)]
    return sent


def test_a_server_sets_up_sends_asks_and_sends_what_is_missing() -> None:
    server = server_of()
    (setup,) = server.handle(StartTransfer(), 0)
    assert isinstance(setup, SendDownlink)
    assert setup.payload == setup_of().encode()
    assert server.handle(heard(ACCEPTED), 0) == []
    assert drain(server) == ["08"] * 12 + ["01"]
    assert server.handle(heard(FragSessionStatusAns(False, False, False, 9, 0, 3)), 0) == []
    assert drain(server) == ["08"] * 4 + ["01"]  # three and one to spare
    assert server.handle(heard(FragSessionStatusAns(False, False, False, 12, 0, 0)), 0) == [TransferDone(16)]
    assert (server.phase, server.wake_at) == (Phase.DONE, None)


def test_a_device_that_got_nothing_gets_all_again() -> None:
    server = server_of()
    server.handle(StartTransfer(), 0)
    server.handle(heard(ACCEPTED), 0)
    drain(server)
    server.handle(heard(FragSessionStatusAns(False, False, False, 0, 0, 10)), 0)
    assert server.wake_at is not None
    (first,) = server.wake(server.wake_at)
    assert first == SendDownlink(fragment(1).encode())


def test_the_device_may_say_first_that_it_has_the_block() -> None:
    server = server_of(ack_reception=True)
    server.handle(StartTransfer(), 0)
    server.handle(heard(ACCEPTED), 0)
    server.wake(0)
    effects = server.handle(heard(FragDataBlockReceivedReq(0, False)), 0)
    assert effects == [SendDownlink(FragDataBlockReceivedAns(0).encode()), TransferDone(1)]
    assert server.handle(heard(FragDataBlockReceivedReq(0, False)), 0) == effects[:1]  # our answer was lost


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([FragSessionSetupAns(0, False, True, False, False, False)], "refused"),
        ([ACCEPTED, FragSessionStatusAns(False, True, False, 10, 0, 0)], "mic"),
        ([ACCEPTED, FragSessionStatusAns(True, False, False, 10, 0, 4)], "memory"),
        ([ACCEPTED, FragSessionStatusAns(False, False, True, 0, 0, 0)], "refused"),
    ],
)
def test_transfers_that_fail(answers: list[PackageCommand], reason: str) -> None:
    server = server_of()
    server.handle(StartTransfer(), 0)
    failed: list[TransferFailed] = []
    for answer in answers:
        drain(server)
        failed += [e for e in server.handle(heard(answer), 0) if isinstance(e, TransferFailed)]
    assert [failure.reason for failure in failed] == [reason]
    assert (server.phase, server.wake_at) == (Phase.FAILED, None)


def test_a_device_that_never_answers() -> None:
    server = server_of(again_us=100, tries=2)
    server.handle(StartTransfer(), 0)
    assert len(server.wake(100)) == 1
    assert server.wake(200) == [TransferFailed("unanswered", "FragSessionSetupReq")]


def test_fragments_go_to_the_group_and_the_rest_to_the_device() -> None:
    server = server_of(multicast=True, mc_group_bit_mask=1)
    (setup,) = server.handle(StartTransfer(), 0)
    server.handle(heard(ACCEPTED), 0)
    (first,) = server.wake(0)
    assert isinstance(setup, SendDownlink)
    assert isinstance(first, SendDownlink)
    assert (setup.multicast, first.multicast) == (False, True)
