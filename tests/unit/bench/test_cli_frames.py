"""`lorabench frame` on frames known from elsewhere: read, deciphered, built; nothing claimed without a key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from command_line import FRAME, FRAME_KEYS, run
from known_answers import area

from bench.cli.frame_options import frame_bytes


def decode(*arguments: str) -> dict[str, object]:
    _, out, err = run("frame", "decode", *arguments, "--json")
    assert err == ""
    view = json.loads(out)
    assert isinstance(view, dict)
    return view


def test_a_known_frame_is_read_and_deciphered() -> None:
    view = decode(FRAME, *FRAME_KEYS)
    assert (view["type"], view["dev_addr"], view["f_cnt"], view["f_port"]) == ("UNCONFIRMED_UP", "49be7df1", 2, 1)
    assert bytes.fromhex(str(view["payload"])) == b"test"
    assert view["mic"] == "ok"


def test_all_keys_may_be_given_in_one() -> None:
    named = f"NwkSKey={FRAME_KEYS[1]},app-s-key={FRAME_KEYS[3]}"
    assert bytes.fromhex(str(decode(FRAME, "--keys", named)["payload"])) == b"test"
    code, _, err = run("frame", "decode", FRAME, "--keys", "NwkKy=00")
    assert code == 2
    assert "NwkKy" in err


def test_base64_is_read_as_hex_is() -> None:
    assert frame_bytes("QPF9vkkAAgABlUN4disR/w0=") == bytes.fromhex(FRAME)
    assert frame_bytes("QPF9vkkAAgABlUN4disR_w0") == bytes.fromhex(FRAME)
    assert frame_bytes("40 f1:7d-be 4900020001954378762b11ff0d") == bytes.fromhex(FRAME)


def test_the_known_frame_is_built_again() -> None:
    arguments = ("--dev-addr", "49be7df1", "--f-cnt", "2", "--f-port", "1", "--payload", b"test".hex())
    assert run("frame", "build", "up", *arguments, *FRAME_KEYS) == (0, FRAME + "\n", "")


@pytest.mark.parametrize(("given", "wanted"), area("data10"))
def test_vectors_of_1_0_frames_decode_as_they_say(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    keys = ["--nwk-s-key", str(given["nwkskey"])] if given.get("nwkskey") else []
    keys += ["--app-s-key", str(given["appskey"])] if given.get("appskey") else []
    view = decode(str(given["frame"]), *keys, "--f-cnt", str(given["fcnt32"]))
    assert view["dev_addr"] == wanted["devaddr"]
    assert view["f_opts"] == wanted["fopts"]
    assert view["f_port"] == wanted["fport"]
    assert view["frm_payload"] == wanted["frmpayload"]
    if "mic_valid" in wanted and given.get("nwkskey"):
        assert (view["mic"] == "ok") is wanted["mic_valid"]
    if wanted.get("plaintext"):
        assert view["payload"] == wanted["plaintext"]


@pytest.mark.parametrize(("given", "wanted"), area("data11"))
def test_vectors_of_1_1_frames_decode_as_they_say(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    keys = ["--f-nwk-s-int-key", given["FNwkSIntKey"], "--s-nwk-s-int-key", given["SNwkSIntKey"]]
    keys += ["--nwk-s-enc-key", given["NwkSEncKey"], "--app-s-key", given["AppSKey"]]
    numbers = ["--f-cnt", given["fcnt32"], "--conf-f-cnt", given["conf_fcnt"]]
    numbers += ["--tx-dr", given["tx_dr"], "--tx-ch", given["tx_ch"]]
    view = decode(str(given["frame"]), "--version", "1.1", *map(str, keys + numbers))
    assert view["dev_addr"] == wanted["devaddr"]
    assert (view["mic"] == "ok") is (wanted["mic"] == wanted["mic_computed"])
    if wanted.get("plaintext"):
        assert view["payload"] == wanted["plaintext"]
    if wanted.get("fopts_plain"):
        assert view["f_opts_clear"] == wanted["fopts_plain"]


@pytest.mark.parametrize(("given", "wanted"), area("join_request"))
def test_vectors_of_join_requests_decode_and_build_as_they_say(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    key = ("--app-key", str(given["key"])) if "key" in given else ()
    view = decode(str(given["frame"]), *key)
    assert [view[name] for name in ("join_eui", "dev_eui", "dev_nonce")] == [
        wanted[name] for name in ("join_eui", "dev_eui", "dev_nonce")
    ]
    if not key:
        return
    assert (view["mic"] == "ok") is wanted["mic_valid"]
    arguments = ("--join-eui", str(wanted["join_eui"]), "--dev-eui", str(wanted["dev_eui"]))
    built = run("frame", "build", "join-request", *arguments, "--dev-nonce", str(wanted["dev_nonce"]), *key)[1]
    assert built.strip() == str(given["frame"])[:-8] + str(wanted["mic_computed"])


@pytest.mark.parametrize(("given", "wanted"), area("join_accept"))
def test_vectors_of_join_accepts_decode_as_they_say(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    if "frame" not in given:
        return
    view = decode(str(given["frame"]), "--app-key", str(given["key"]))
    assert view["mic"] == "ok"
    assert (view["join_nonce"], view["net_id"], view["dev_addr"]) == (
        wanted["join_nonce"],
        wanted["net_id"],
        wanted["devaddr"],
    )
    assert (view["rx1_dr_offset"], view["rx2_dr"], view["cf_list"]) == (
        wanted["rx1_dr_offset"],
        wanted["rx2_dr"],
        wanted["cflist"],
    )
    assert "session_keys" not in view


def test_a_wrong_mic_is_exit_code_1() -> None:
    code, out, _ = run("frame", "decode", FRAME[:-2] + "00", *FRAME_KEYS)
    assert code == 1
    assert "wrong" in out


def test_without_keys_the_frame_is_read_and_nothing_is_claimed() -> None:
    view = decode(FRAME)
    assert view["mic"] == "not checked: the NwkSKey is not given"
    assert "payload" not in view


def test_no_key_is_ever_printed() -> None:
    code, out, err = run("frame", "decode", FRAME, "--app-s-key", FRAME_KEYS[3], "--nwk-s-key", FRAME_KEYS[1] + "00")
    assert code == 2
    assert FRAME_KEYS[1] not in out + err
    code, out, err = run("frame", "decode", FRAME, *FRAME_KEYS)
    assert FRAME_KEYS[1] not in out + err
    assert FRAME_KEYS[3] not in out + err


def test_a_counter_that_cannot_be_the_frames_is_refused() -> None:
    code, _, err = run("frame", "decode", FRAME, "--f-cnt", "3")
    assert code == 2
    assert err.startswith("error: FCnt: 3 has other low bits than the frame's 2")
