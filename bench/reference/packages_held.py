"""Which test holds what each side of a package does with a command.

Test ids run from tests/ on. tests/unit/bench/test_reference.py runs each of them and sees whether it makes the side do
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lorawan.mac_commands import MacCommand
from lorawan.packages.certification import commands as cert
from lorawan.packages.clock import commands as clock
from lorawan.packages.firmware import commands as fw
from lorawan.packages.fragmentation import commands as frag
from lorawan.packages.multicast import commands as mc

_HERE = "unit/lorawan/test_package_"
_CLOCK, _FW, _FRAG = f"{_HERE}clock.py::", f"{_HERE}firmware.py::", f"{_HERE}fragmentation.py::"
_MC, _CERT = f"{_HERE}multicast.py::", f"{_HERE}certification.py::"

ASKED_TEST: Final = f"{_HERE}asking.py::test_every_command_can_be_asked_until_its_answer_comes"
VERSION_TESTS: Final[Mapping[int, tuple[str, ...]]] = {
    1: (_CLOCK + "test_each_version_answers_with_its_number",),
    2: (f"{_HERE}host.py::test_each_package_answers_on_its_port", _MC + "test_multicast_is_dropped"),
    3: (f"{_HERE}host.py::test_each_package_answers_on_its_port", _FRAG + "test_control_commands_are_unicast"),
    4: (_FW + "test_versions",),
    6: (_CERT + "test_what_a_command_is_answered_with",),
}
"""By PackageIdentifier."""

_CORRECTION = (
    _CLOCK + "test_a_device_of_1980_reaches_2050_in_two_corrections",
    "properties/test_clock_laws.py::test_a_corrected_clock_is_wrong_by_no_more_than_an_uplink_takes",
)
_PERIOD = (_CLOCK + "test_a_period_is_kept_within_thirty_seconds",)
_FRAG_SETUP = (_FRAG + "test_fragments_in_any_order_make_the_block", _FRAG + "test_setups_that_are_refused")
_FRAG_STATUS = (
    _FRAG + "test_status_says_what_is_missing",
    _FRAG + "test_who_has_everything_answers_only_if_all_are_asked",
)
_FRAG_DELETE = (_FRAG + "test_a_session_that_does_not_exist",)
_FRAG_V1 = (_FRAG + "test_version_1_has_neither_counter_nor_mic",)
_BLOCK_RECEIVED = (_FRAG + "test_a_received_block_is_reported_until_that_is_answered",)
_GROUP_STATUS = (_MC + "test_the_status_lists_what_is_asked_for_and_has_room",)
_GROUP_SETUP = (
    _MC + "test_a_device_that_is_let_in_has_the_keys_of_the_group",
    _MC + "test_a_device_has_only_so_many_places",
)
_GROUP_DELETE = (_MC + "test_a_group_is_deleted_once",)
_CLASS_C = (_MC + "test_a_class_c_session_opens_and_closes_by_the_clock", _MC + "test_sessions_that_are_refused")
_CLASS_B = (_MC + "test_a_class_b_session_counts_in_beacon_periods", _MC + "test_sessions_that_are_refused")
_MC_V1 = (_MC + "test_version_1_cannot_say_that_a_start_was_missed",)
_REBOOT_TIME = (_FW + "test_a_reboot_at_a_time", _FW + "test_a_time_that_is_past_or_cannot_be_known")
_REBOOT_COUNTDOWN = (_FW + "test_a_reboot_after_a_while",)
_UPGRADE_IMAGE = (_FW + "test_a_valid_image_is_installed_by_a_reboot",)
_DELETE_IMAGE = (_FW + "test_an_image_is_deleted_by_its_version",)
_DOES = (_CERT + "test_what_a_command_does",)
_CHECKED = (*_DOES, _CERT + "test_values_that_mean_nothing_change_nothing")
_ANSWERS = (_CERT + "test_what_a_command_is_answered_with",)
_BEACONS = (_CERT + "test_beacons_are_counted_and_told_of_where_that_is_asked_for",)

DEVICE_TESTS: Final[Mapping[type[MacCommand], tuple[str, ...]]] = {
    clock.AppTimeReq: _CORRECTION,
    clock.AppTimeAns: (*_CORRECTION, _CLOCK + "test_an_answer_counts_once_and_never_unasked"),
    clock.DeviceAppTimePeriodicityReq: _PERIOD,
    clock.DeviceAppTimePeriodicityAns: _PERIOD,
    clock.ForceDeviceResyncCmd: (_CLOCK + "test_a_forced_resynchronization_ends_with_its_answer",),
    frag.FragSessionSetupReq: _FRAG_SETUP,
    frag.FragSessionSetupReqV1: _FRAG_V1,
    frag.FragSessionSetupAns: _FRAG_SETUP,
    frag.FragSessionStatusReq: _FRAG_STATUS,
    frag.FragSessionStatusAns: _FRAG_STATUS,
    frag.FragSessionStatusAnsV1: _FRAG_V1,
    frag.FragSessionDeleteReq: _FRAG_DELETE,
    frag.FragSessionDeleteAns: _FRAG_DELETE,
    frag.FragDataBlockReceivedReq: _BLOCK_RECEIVED,
    frag.FragDataBlockReceivedAns: _BLOCK_RECEIVED,
    frag.DataFragment: (
        _FRAG + "test_fragments_in_any_order_make_the_block",
        "properties/test_fragmentation_laws.py::test_a_transfer_over_a_bad_link_ends_with_the_right_block",
    ),
    mc.McGroupStatusReq: _GROUP_STATUS,
    mc.McGroupStatusAns: _GROUP_STATUS,
    mc.McGroupSetupReq: _GROUP_SETUP,
    mc.McGroupSetupAns: _GROUP_SETUP,
    mc.McGroupDeleteReq: _GROUP_DELETE,
    mc.McGroupDeleteAns: _GROUP_DELETE,
    mc.McClassCSessionReq: _CLASS_C,
    mc.McClassCSessionAns: _CLASS_C,
    mc.McClassCSessionAnsV1: _MC_V1,
    mc.McClassBSessionReq: _CLASS_B,
    mc.McClassBSessionAns: _CLASS_B,
    mc.McClassBSessionAnsV1: (_MC + "test_version_1_answers_a_class_b_session_without_that_bit",),
    fw.DevVersionReq: (_FW + "test_versions",),
    fw.DevVersionAns: (_FW + "test_versions",),
    fw.DevRebootTimeReq: _REBOOT_TIME,
    fw.DevRebootTimeAns: _REBOOT_TIME,
    fw.DevRebootCountdownReq: _REBOOT_COUNTDOWN,
    fw.DevRebootCountdownAns: _REBOOT_COUNTDOWN,
    fw.DevUpgradeImageReq: _UPGRADE_IMAGE,
    fw.DevUpgradeImageAns: _UPGRADE_IMAGE,
    fw.DevDeleteImageReq: _DELETE_IMAGE,
    fw.DevDeleteImageAns: _DELETE_IMAGE,
    cert.DutResetReq: _DOES,
    cert.DutJoinReq: _DOES,
    cert.SwitchClassReq: _CHECKED,
    cert.AdrBitChangeReq: _CHECKED,
    cert.RegionalDutyCycleCtrlReq: _CHECKED,
    cert.TxPeriodicityChangeReq: _CHECKED,
    cert.TxFramesCtrlReq: _CHECKED,
    cert.EchoIncPayloadReq: (*_ANSWERS, _CERT + "test_an_echo_is_cut_to_the_room_there_is"),
    cert.EchoIncPayloadAns: _ANSWERS,
    cert.RxAppCntReq: (*_ANSWERS, f"{_HERE}host.py::test_acknowledgements_count_in_certification"),
    cert.RxAppCntAns: _ANSWERS,
    cert.RxAppCntResetReq: (_CERT + "test_the_downlink_counter",),
    cert.DutLinkCheckReq: _DOES,
    cert.DutDeviceTimeReq: _DOES,
    cert.DutPingSlotInfoReq: _DOES,
    cert.BeaconRxStatusIndCtrl: (*_BEACONS, _CERT + "test_values_that_mean_nothing_change_nothing"),
    cert.BeaconRxStatusInd: _BEACONS,
    cert.BeaconCntReq: (*_ANSWERS, *_BEACONS),
    cert.BeaconCntAns: (*_ANSWERS, *_BEACONS),
    cert.BeaconCntResetReq: _BEACONS,
    cert.TxCwReq: _DOES,
    cert.DutFPort224DisableReq: (_CERT + "test_a_closed_port_stays_closed",),
    cert.DutVersionsReq: _ANSWERS,
    cert.DutVersionsAns: _ANSWERS,
}

_TRANSFER = _FRAG + "test_a_server_sets_up_sends_asks_and_sends_what_is_missing"
_FAILS = _FRAG + "test_transfers_that_fail"
_FIRST = (_FRAG + "test_the_device_may_say_first_that_it_has_the_block",)

SERVER_TESTS: Final[Mapping[type[MacCommand], tuple[str, ...]]] = {
    clock.AppTimeReq: (_CLOCK + "test_a_good_clock_is_answered_only_if_it_asks", *_CORRECTION),
    clock.AppTimeAns: (_CLOCK + "test_a_good_clock_is_answered_only_if_it_asks", *_CORRECTION),
    clock.DeviceAppTimePeriodicityAns: (
        _CLOCK + "test_the_server_repeats_a_request_until_it_is_answered",
        ASKED_TEST,
    ),
    frag.FragSessionSetupReq: (_TRANSFER, _FRAG + "test_a_device_that_never_answers"),
    frag.FragSessionSetupAns: (_TRANSFER, _FAILS),
    frag.FragSessionStatusReq: (_TRANSFER,),
    frag.FragSessionStatusAns: (_TRANSFER, _FAILS),
    frag.FragDataBlockReceivedReq: _FIRST,
    frag.FragDataBlockReceivedAns: _FIRST,
    frag.DataFragment: (_TRANSFER, _FRAG + "test_fragments_go_to_the_group_and_the_rest_to_the_device"),
    mc.McGroupDeleteAns: (_MC + "test_the_server_tells_groups_apart", ASKED_TEST),
    mc.McClassCSessionAns: (_MC + "test_the_server_learns_how_wrong_the_clock_is", ASKED_TEST),
    cert.EchoIncPayloadAns: (_CERT + "test_the_bench_sees_a_wrong_echo", ASKED_TEST),
    cert.BeaconRxStatusInd: (_CERT + "test_the_bench_hears_of_beacons",),
}
"""Where more holds it than ASKED_TEST, which asks everything of every package."""
