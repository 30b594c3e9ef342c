"""Which test holds what a side does with a MAC command, and why a side does nothing with one.

Test ids run from tests/ on. tests/unit/bench/test_reference.py runs each of them and sees whether it makes the side do
it. A side's answer is held by the test of the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lorawan import mac_commands as mac
from lorawan.mac_commands import MacCommand

_COMMANDS = "unit/lorawan/test_device_commands.py::"
_ANSWERED = _COMMANDS + "TestMacCommandsOnTheDevice::test_is_answered_in_the_next_uplink"
_BOTH = "unit/lorawan/test_device_and_server.py::"
_EDGES = "unit/lorawan/test_mac_edges.py::"
_SESSIONS = "unit/lorawan/test_mac_session_edges.py::"
_ACTIVATION = "unit/lorawan/test_device_activation.py::"
_REJOIN = "unit/lorawan/test_device_rejoin_times.py::"
_CLASS_B = "unit/lorawan/test_class_b.py::"
_PING_SLOTS = "unit/lorawan/test_class_b_ping_slots.py::"
_CLASS_C = "unit/lorawan/test_class_c.py::"
_ASKED = "unit/lorawan/test_server_requests.py::"
_SERVER_ANSWERS = "unit/lorawan/test_server_answers.py::"
_VERSIONS = "unit/lorawan/test_mac_versions.py::"

_LINK_CHECK = _BOTH + "TestEveryVersion::test_link_check_is_answered_with_margin_and_gateways"
_REKEY = _BOTH + "TestWhatOnlyOneVersionDoes::test_1_1_alone_announces_itself_with_rekey_ind_until_it_is_confirmed"
_RESET = _SESSIONS + "TestAdrOfTheNetwork::test_a_reset_device_is_taken_for_one_at_full_power"
_RESETS = _ACTIVATION + "TestResetInd::test_goes_with_every_uplink_until_reset_conf_and_again_after_a_restart"
_CONFIRMED = _ACTIVATION + "TestRekeyInd::test_only_a_rekey_conf_of_its_own_version_confirms_the_keys"
_ADR = _BOTH + "TestEveryVersion::test_adr_moves_a_strong_device_to_less_power_and_is_acknowledged"
_TIME = _COMMANDS + "test_a_request_for_the_time_is_refused_by_name_and_the_uplink_accepted"

_LINK_ADR = (
    _ANSWERED,
    _COMMANDS + "TestMacCommandsOnTheDevice::test_one_identical_answer_for_each_request_of_a_link_adr_block",
    _COMMANDS + "TestMacCommandsOnTheDevice::test_1_1_answers_a_block_once_and_refuses_a_second_one",
    _COMMANDS + "TestMacCommandsOnTheDevice::test_a_refused_block_changes_nothing",
    _COMMANDS + "TestMacCommandsOnTheDevice::test_index_15_keeps_from_1_0_4_on_and_is_refused_before",
    _BOTH + "test_nb_trans_0_is_the_default_value_and_in_1_1_no_change",
)
_DUTY_CYCLE = (_ANSWERED, _EDGES + "TestDutyCycleReq::test_silence_follows_each_frame_on_every_channel")
_RX_PARAM_SETUP = (_ANSWERED, _EDGES + "TestAnswers::test_rx_param_setup_moves_rx2_and_the_rx1_offset")
_NEW_CHANNEL = (_ANSWERED, _EDGES + "TestAnswers::test_disabling_the_last_channel_brings_the_defaults_back")
_RX_TIMING_SETUP = (
    _COMMANDS + "TestMacCommandsOnTheDevice::test_rx_timing_moves_both_windows",
    _COMMANDS + "TestMacCommandsOnTheDevice::test_a_sticky_answer_repeats_until_a_downlink_arrives",
)
_TX_PARAM_SETUP = (_VERSIONS + "test_tx_param_setup_is_kept_where_the_region_has_it",)
_DL_CHANNEL = (_ANSWERED, _EDGES + "TestAnswers::test_dl_channel_moves_rx1")
_ADR_PARAM_SETUP = (
    _VERSIONS + "test_a_1_1_device_takes_the_back_off_limits_over",
    _EDGES + "TestAnswers::test_adr_param_setup_moves_the_limit_in_1_1_alone",
)
_REJOIN_PARAM_SETUP = (
    _REJOIN + "TestByItself::test_after_the_number_of_uplinks_that_the_network_set",
    _REJOIN + "TestByItself::test_after_the_time_that_the_network_set_without_any_data",
)
_PERIODICITY = (
    _CLASS_B + "TestTheWayToClassB::test_a_periodicity_is_told_in_class_a_and_class_b_waits_for_the_answer",
    _CLASS_B + "TestTheWayToClassB::test_1_0_2_has_even_the_default_periodicity_acknowledged",
)
_PING_SLOT_CHANNEL = (
    _PING_SLOTS + "TestPingSlots::test_the_network_moves_them_and_uses_none_until_the_device_has_answered",
    _PING_SLOTS + "TestPingSlots::test_what_the_device_cannot_do_changes_nothing",
)
_BEACON_TIMING = (
    _CLASS_B + "TestTheWayToClassB::test_the_network_is_asked_for_the_time_so_that_a_short_window_finds_the_beacon",
)
_BEACON_FREQ = (_CLASS_B + "TestBeacons::test_the_network_moves_the_beacon",)
_DEVICE_MODE = (
    _CLASS_C + "TestDeviceMode::test_it_is_in_every_uplink_until_the_network_confirms_it",
    _CLASS_C + "TestDeviceMode::test_going_back_is_announced_too",
)

DEVICE_TESTS: Final[Mapping[type[MacCommand], tuple[str, ...]]] = {
    mac.ResetInd: (_RESETS, _ACTIVATION + "TestResetInd::test_a_device_that_is_never_confirmed_goes_on"),
    mac.ResetConf: (_RESETS, _CONFIRMED),
    mac.LinkCheckReq: (_LINK_CHECK, _EDGES + "TestRoom::test_asking_six_times_is_asking_once"),
    mac.LinkCheckAns: (_LINK_CHECK,),
    mac.LinkAdrReq: _LINK_ADR,
    mac.LinkAdrAns: _LINK_ADR,
    mac.DutyCycleReq: _DUTY_CYCLE,
    mac.DutyCycleAns: _DUTY_CYCLE,
    mac.RxParamSetupReq: _RX_PARAM_SETUP,
    mac.RxParamSetupAns: _RX_PARAM_SETUP,
    mac.DevStatusReq: (_ANSWERED,),
    mac.DevStatusAns: (_ANSWERED,),
    mac.NewChannelReq: _NEW_CHANNEL,
    mac.NewChannelAns: _NEW_CHANNEL,
    mac.RxTimingSetupReq: _RX_TIMING_SETUP,
    mac.RxTimingSetupAns: _RX_TIMING_SETUP,
    mac.TxParamSetupReq: _TX_PARAM_SETUP,
    mac.TxParamSetupAns: _TX_PARAM_SETUP,
    mac.DlChannelReq: _DL_CHANNEL,
    mac.DlChannelAns: _DL_CHANNEL,
    mac.RekeyInd: (
        _REKEY,
        _ACTIVATION + "TestRekeyInd::test_a_device_that_is_never_confirmed_joins_again_after_adr_ack_limit_uplinks",
    ),
    mac.RekeyConf: (_REKEY, _CONFIRMED),
    mac.AdrParamSetupReq: _ADR_PARAM_SETUP,
    mac.AdrParamSetupAns: _ADR_PARAM_SETUP,
    mac.DeviceTimeReq: (_TIME,),
    mac.DeviceTimeAns: (_COMMANDS + "TestMacCommandsOnTheDevice::test_the_networks_time_is_told_to_the_application",),
    mac.ForceRejoinReq: (
        _REJOIN + "TestForceRejoinReq::test_is_carried_out_at_its_data_rate_as_often_as_it_says",
        _REJOIN + "TestForceRejoinReq::test_ends_with_an_accept",
        _REJOIN + "TestForceRejoinReq::test_asks_for_type_0_or_2",
        _REJOIN + "TestForceRejoinReq::test_a_second_command_replaces_the_first",
    ),
    mac.RejoinParamSetupReq: _REJOIN_PARAM_SETUP,
    mac.RejoinParamSetupAns: _REJOIN_PARAM_SETUP,
    mac.PingSlotInfoReq: _PERIODICITY,
    mac.PingSlotInfoAns: (
        _CLASS_B + "TestTheWayToClassB::test_1_0_2_has_even_the_default_periodicity_acknowledged",
        _PING_SLOTS + "TestPingSlots::test_the_device_listens_in_the_slots_of_its_network",
    ),
    mac.PingSlotChannelReq: _PING_SLOT_CHANNEL,
    mac.PingSlotChannelAns: _PING_SLOT_CHANNEL,
    mac.BeaconTimingReq: _BEACON_TIMING,
    mac.BeaconTimingAns: _BEACON_TIMING,
    mac.BeaconFreqReq: _BEACON_FREQ,
    mac.BeaconFreqAns: _BEACON_FREQ,
    mac.DeviceModeInd: _DEVICE_MODE,
    mac.DeviceModeConf: (
        *_DEVICE_MODE,
        _CLASS_C + "TestDeviceMode::test_a_confirmation_of_another_class_confirms_nothing",
    ),
}

_WINDOWS_MOVE = (_ASKED + "TestAnswered::test_the_windows_move_with_the_answer_and_both_ends_meet_there",)
_CHANNELS_MOVE = (
    _ASKED + "TestAnswered::test_channels_come_and_go_and_their_rx1_moves",
    _ASKED + "TestAnswered::test_a_refusal_is_told_and_changes_nothing",
)
_BLOCK = _ASKED + "TestAnswered::test_a_block_of_link_adr_requests_is_one_request"
_STATUS = (_ASKED + "TestDeviceStatus::test_a_device_is_asked_each_period_and_its_answer_told",)
_DWELL = (_ASKED + "TestAnswered::test_the_device_has_dwell_time_where_the_region_has_it",)
_BACK_OFF = (_ASKED + "TestAnswered::test_1_1_takes_adr_and_rejoin_parameters",)
_DUTY = (_SERVER_ANSWERS + "test_a_duty_cycle_is_asked_for_until_it_is_answered",)
_REJOIN_PARAMETERS = (_SERVER_ANSWERS + "test_a_network_hears_which_rejoin_parameters_are_kept",)

SERVER_TESTS: Final[Mapping[type[MacCommand], tuple[str, ...]]] = {
    mac.ResetInd: (_RESET,),
    mac.ResetConf: (_RESET,),
    mac.LinkCheckReq: (_LINK_CHECK, _EDGES + "TestRoom::test_an_uplink_full_of_link_checks_gets_one_answer"),
    mac.LinkCheckAns: (_LINK_CHECK,),
    mac.LinkAdrReq: (_ADR, _BLOCK),
    mac.LinkAdrAns: (_ADR, _BLOCK, _SESSIONS + "TestAdrOfTheNetwork::test_a_refused_request_is_not_repeated_for_ever"),
    mac.RekeyInd: (_REKEY,),
    mac.RekeyConf: (_REKEY,),
    mac.PingSlotInfoReq: _PERIODICITY,
    mac.PingSlotInfoAns: _PERIODICITY,
    mac.PingSlotChannelReq: _PING_SLOT_CHANNEL,
    mac.PingSlotChannelAns: _PING_SLOT_CHANNEL,
    mac.BeaconTimingReq: _BEACON_TIMING,
    mac.BeaconTimingAns: _BEACON_TIMING,
    mac.BeaconFreqReq: _BEACON_FREQ,
    mac.BeaconFreqAns: _BEACON_FREQ,
    mac.DeviceModeInd: _DEVICE_MODE,
    mac.DeviceModeConf: _DEVICE_MODE,
    mac.DutyCycleReq: (*_DUTY, _ASKED + "TestAsking::test_what_is_unanswered_is_asked_again_and_given_up_at_last"),
    mac.DutyCycleAns: _DUTY,
    mac.RxParamSetupReq: _WINDOWS_MOVE,
    mac.RxParamSetupAns: _WINDOWS_MOVE,
    mac.DevStatusReq: _STATUS,
    mac.DevStatusAns: _STATUS,
    mac.NewChannelReq: _CHANNELS_MOVE,
    mac.NewChannelAns: _CHANNELS_MOVE,
    mac.RxTimingSetupReq: _WINDOWS_MOVE,
    mac.RxTimingSetupAns: _WINDOWS_MOVE,
    mac.TxParamSetupReq: _DWELL,
    mac.TxParamSetupAns: _DWELL,
    mac.DlChannelReq: _CHANNELS_MOVE,
    mac.DlChannelAns: _CHANNELS_MOVE,
    mac.AdrParamSetupReq: _BACK_OFF,
    mac.AdrParamSetupAns: _BACK_OFF,
    mac.DeviceTimeReq: (
        _ASKED + "TestDeviceTime::test_the_time_is_that_of_the_end_of_the_uplink",
        _ASKED + "TestDeviceTime::test_a_network_without_gps_time_refuses_by_name",
    ),
    mac.DeviceTimeAns: (_ASKED + "TestDeviceTime::test_the_time_is_that_of_the_end_of_the_uplink",),
    mac.ForceRejoinReq: (
        "unit/lorawan/test_server_joins.py::TestRejoin::test_force_rejoin_is_asked_until_the_device_rejoins",
    ),
    mac.RejoinParamSetupReq: _REJOIN_PARAMETERS,
    mac.RejoinParamSetupAns: _REJOIN_PARAMETERS,
}


_RELAYS = dict.fromkeys(
    (command for command in mac.COMMANDS if command.device_class == "relay"),
    "codec only: relays and the devices behind them are not simulated",
)
DEVICE_REASONS: Final[Mapping[type[MacCommand], str]] = {**_RELAYS}
SERVER_REASONS: Final[Mapping[type[MacCommand], str]] = {**_RELAYS}
"""Why a side does nothing with a command."""

DEVICE_SENDS: Final[Mapping[type[MacCommand], str]] = {
    mac.ResetInd: "sent by an ABP device of 1.1 after a reset, until it is confirmed",
    mac.LinkCheckReq: "sent when the application asks (`RequestLinkCheck`)",
    mac.RekeyInd: "sent after a join to a 1.1 network, until it is confirmed",
    mac.DeviceTimeReq: "sent when the application asks (`RequestTime`), and on the way to class B",
    mac.PingSlotInfoReq: "sent on the way to class B, until it is answered",
    mac.BeaconTimingReq: "sent by a 1.0.2 device that looks for a beacon",
    mac.DeviceModeInd: "sent by a 1.1 device that goes to class C or back, until it is confirmed",
}
"""When a device sends what is no answer."""

SERVER_SENDS: Final[Mapping[type[MacCommand], str]] = {
    mac.LinkAdrReq: "sent when the ADR policy wants other settings",
    mac.PingSlotChannelReq: "sent where the network has ping slots elsewhere (`MovePingSlots`)",
    mac.BeaconFreqReq: "sent where the network has its beacons elsewhere (`MoveBeacon`)",
    mac.DevStatusReq: "sent once in each period that the operator sets",
}
"""When a network sends what is no answer."""
