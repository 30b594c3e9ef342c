"""Join-Request, Join-Accept (opened, both forms of 1.1, CFList, derived keys) and Rejoin-Requests."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from bench.explain.clauses import CF_LIST_TYPE_0, CF_LIST_TYPE_1, clause
from bench.explain.commands import HIDDEN
from bench.explain.field import OK, WRONG, Explanation, Field, Value, of_bits, of_bytes
from bench.explain.known import Known
from lorawan.crypto import (
    SessionKeys,
    derive_join_keys,
    derive_keys_10,
    derive_keys_11,
    derive_keys_11_fallback,
    mic_rejoin_request,
)
from lorawan.frames import JoinAccept, JoinRequest, RejoinRequest02, RejoinRequest1, parse_cf_list
from lorawan.ids import AesKey
from lorawan.secured import (
    JOIN_REQ_TYPE_JOIN,
    join_accept_mic_ok_10,
    join_accept_mic_ok_11,
    join_request_mic_ok,
    open_join_accept,
)

_CF_LIST_OFFSET: Final = 13


def explain_join_request(frame: JoinRequest, payload: bytes, known: Known) -> Explanation:
    """JoinEUI to MIC."""
    where = clause("Join-Request", known.version)
    key = known.root_key
    name = "NwkKey" if known.version.is_1_1 else "AppKey"
    mic = f"not checked: the {name} is not given" if key is None else _word(join_request_mic_ok(key, frame))
    join_eui = "JoinEUI" if known.version.value in ("1.0.4", "1.1") else "AppEUI"
    how = "" if key is None else f"CMAC by {name} over the message"
    facts = {
        "direction": "up",
        "join_eui": str(frame.join_eui),
        "dev_eui": str(frame.dev_eui),
        "dev_nonce": frame.dev_nonce,
        "mic_bytes": frame.mic.hex(),
        "mic": mic,
        "mic_check": how,
    }
    counts = known.version.rules.dev_nonce_is_counter
    return Explanation(
        facts,
        (
            of_bytes(join_eui, where, payload[1:9], 1, str(frame.join_eui)),
            of_bytes("DevEUI", where, payload[9:17], 9, str(frame.dev_eui)),
            of_bytes("DevNonce", where, payload[17:19], 17, frame.dev_nonce, "counts up" if counts else "random"),
            of_bytes("MIC", where, frame.mic, 19, mic, how),
        ),
    )


def explain_rejoin(frame: RejoinRequest02 | RejoinRequest1, payload: bytes, known: Known) -> Explanation:
    """Rejoin type to MIC, of the three types."""
    where = clause("Rejoin-Request", known.version)
    if isinstance(frame, RejoinRequest02):
        key, name = known.s_nwk_s_int_key, "SNwkSIntKey"
        missing = "the SNwkSIntKey is not given"
        network: Value = str(frame.net_id)
        first = of_bytes("NetID", where, payload[2:5], 2, network)
        what = "a new session, radio parameters reset" if frame.rejoin_type == 0 else "new keys, radio parameters kept"
        facts: dict[str, Any] = {"rejoin_type": frame.rejoin_type, "net_id": network}
        counter = "RJcount0"
    else:
        key = None if known.nwk_key is None else derive_join_keys(known.nwk_key, frame.dev_eui).js_int_key
        name, missing = "JSIntKey", "the NwkKey, and so the JSIntKey, is not given"
        first = of_bytes("JoinEUI", where, payload[2:10], 2, str(frame.join_eui))
        what = "as a Join-Request, without leaving the session"
        facts = {"rejoin_type": 1, "join_eui": str(frame.join_eui)}
        counter = "RJcount1"
    mic = f"not checked: {missing}" if key is None else _word(frame.mic == mic_rejoin_request(key, frame.message()))
    how = "" if key is None else f"CMAC by {name} over the message"
    at = 2 + first.size
    facts = {"direction": "up"} | facts | {"dev_eui": str(frame.dev_eui), "rj_count": frame.rj_count}
    facts |= {"mic_bytes": frame.mic.hex(), "mic": mic, "mic_check": how}
    return Explanation(
        facts,
        (
            of_bytes("RejoinType", where, payload[1:2], 1, payload[1], what),
            first,
            of_bytes("DevEUI", where, payload[at : at + 8], at, str(frame.dev_eui)),
            of_bytes(counter, where, payload[at + 8 : at + 10], at + 8, frame.rj_count, "counts up, never repeats"),
            of_bytes("MIC", where, frame.mic, at + 10, mic, how),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Of an opened accept: whether it holds, how, the session it begins (None: cannot be told)."""

    mic: str
    how: str
    keys: SessionKeys | None = None


def explain_join_accept(payload: bytes, known: Known) -> Explanation:
    """The accept as far as the keys given open it. Raises FrameError for a length that none has."""
    where = clause("Join-Accept", known.version)
    key, key_name = _accept_key(known)
    if key is None:
        mic = f"not checked: the {key_name} is not given"
        field = of_bytes("Join-Accept", where, payload[1:], 1, meaning=f"enciphered; the {key_name} is not given")
        return Explanation({"direction": "down", "encrypted": payload[1:].hex(), "mic": mic, "mic_check": ""}, (field,))
    accept, mic_bytes, message = open_join_accept(key, payload)
    verdict = _judge(accept, mic_bytes, message, key, known)
    facts: dict[str, Any] = {
        "direction": "down",
        "join_nonce": accept.join_nonce,
        "net_id": str(accept.net_id),
        "dev_addr": str(accept.dev_addr),
        "opt_neg": accept.opt_neg,
        "rx1_dr_offset": accept.rx1_dr_offset,
        "rx2_dr": accept.rx2_dr,
        "rx_delay_s": accept.rx_delay_s or 1,
        "cf_list": accept.cf_list.hex(),
    }
    if accept.cf_list and accept.cf_list[-1] == 0:
        facts["cf_list_freq_hz"] = list(parse_cf_list(accept.cf_list))
    elif accept.cf_list and accept.cf_list[-1] == 1:
        facts["cf_list_ch_masks"] = [mask.hex() for mask in _masks(accept.cf_list)]
    facts |= {"mic_bytes": mic_bytes.hex(), "mic": verdict.mic, "mic_check": verdict.how}
    if verdict.keys is not None:
        shown = {f.name: getattr(verdict.keys, f.name) for f in fields(verdict.keys)}
        facts["session_keys"] = {n: key.hex() if known.show_keys else HIDDEN for n, key in shown.items()}
    return Explanation(facts, _accept_fields(accept, message + mic_bytes, verdict, key_name, known), verdict.keys)


def _accept_key(known: Known) -> tuple[AesKey | None, str]:
    if known.rejoin_type is None:
        return known.root_key, "NwkKey" if known.version.is_1_1 else "AppKey"
    if known.nwk_key is None or known.dev_eui is None:
        return None, "NwkKey or DevEUI, and so the JSEncKey,"
    return derive_join_keys(known.nwk_key, known.dev_eui).js_enc_key, "JSEncKey"


def _judge(accept: JoinAccept, mic: bytes, message: bytes, key: AesKey, known: Known) -> _Verdict:
    if not known.version.is_1_1:
        right = join_accept_mic_ok_10(key, message, mic)
        keys = None
        if known.dev_nonce is not None:
            keys = derive_keys_10(key, accept.join_nonce, accept.net_id, known.dev_nonce)
        return _Verdict(_word(right), "CMAC by AppKey over MHDR and the accept in clear", keys)
    if not accept.opt_neg:
        root = known.nwk_key or key
        right = join_accept_mic_ok_10(root, message, mic)
        keys = None
        if known.dev_nonce is not None:
            keys = derive_keys_11_fallback(root, accept.join_nonce, accept.net_id, known.dev_nonce)
        return _Verdict(_word(right), "OptNeg 0, the 1.0 form: CMAC by NwkKey over MHDR and the accept in clear", keys)
    if known.nwk_key is None or known.dev_eui is None or known.join_eui is None or known.dev_nonce is None:
        return _Verdict("not checked: DevEUI, JoinEUI and DevNonce of the join are not given", "")
    join_req_type = JOIN_REQ_TYPE_JOIN if known.rejoin_type is None else known.rejoin_type
    js_int_key = derive_join_keys(known.nwk_key, known.dev_eui).js_int_key
    right = join_accept_mic_ok_11(
        js_int_key,
        message,
        mic,
        join_eui=known.join_eui,
        dev_nonce=known.dev_nonce,
        join_req_type=join_req_type,
    )
    how = f"OptNeg 1: CMAC by JSIntKey over JoinReqType {join_req_type:02x}, JoinEUI, DevNonce, MHDR and the accept"
    keys = None
    if known.app_key is not None:
        keys = derive_keys_11(known.nwk_key, known.app_key, accept.join_nonce, known.join_eui, known.dev_nonce)
    return _Verdict(_word(right), how, keys)


def _accept_fields(
    accept: JoinAccept, clear: bytes, verdict: _Verdict, key_name: str, known: Known
) -> tuple[Field, ...]:
    where = clause("Join-Accept", known.version)
    nonce = "JoinNonce" if known.version.value in ("1.0.4", "1.1") else "AppNonce"
    home = "Home_NetID" if known.version.is_1_1 else "NetID"
    settings, delay = clear[11], clear[12]
    bit_7 = "OptNeg" if known.version.is_1_1 else "RFU"
    told = ("the network speaks 1.1" if accept.opt_neg else "1.0.x it is") if known.version.is_1_1 else ""
    dl_settings = (
        of_bits(bit_7, where, settings, 11, (7, 7), accept.opt_neg if known.version.is_1_1 else None, told),
        of_bits("RX1DROffset", where, settings, 11, (6, 4)),
        of_bits("RX2DataRate", where, settings, 11, (3, 0)),
    )
    seconds = accept.rx_delay_s or 1
    rx_delay = (
        of_bits("RFU", where, delay, 12, (7, 4)),
        of_bits("Del", where, delay, 12, (3, 0), meaning=f"RX1 after {seconds} s, RX2 after {seconds + 1} s"),
    )
    found = [
        of_bytes(nonce, where, clear[1:4], 1, accept.join_nonce, f"this and the rest deciphered with the {key_name}"),
        of_bytes(home, where, clear[4:7], 4, str(accept.net_id)),
        of_bytes("DevAddr", where, clear[7:11], 7, str(accept.dev_addr)),
        of_bytes("DLSettings", where, clear[11:12], 11, inner=dl_settings),
        of_bytes("RXDelay", where, clear[12:13], 12, inner=rx_delay),
    ]
    if accept.cf_list:
        found.append(_cf_list(accept.cf_list, where))
    found.append(of_bytes("MIC", where, clear[-4:], len(clear) - 4, verdict.mic, verdict.how))
    if verdict.keys is not None:
        found += _key_fields(verdict.keys, accept, where, known)
    return tuple(found)


def _cf_list(cf_list: bytes, where: str) -> Field:
    kind, at = cf_list[-1], _CF_LIST_OFFSET
    inner: tuple[Field, ...]
    if kind == 0:
        freqs = enumerate(parse_cf_list(cf_list))
        inner = tuple(
            of_bytes(
                f"Freq Ch N+{n}" if n else "Freq Ch N",
                CF_LIST_TYPE_0,
                cf_list[3 * n : 3 * n + 3],
                at + 3 * n,
                freq_hz,
                f"{freq_hz / 1e6:.4f} MHz" if freq_hz else "not used",
                unit="Hz",
            )
            for n, freq_hz in freqs
        )
        source, what = CF_LIST_TYPE_0, "a list of frequencies"
    elif kind == 1:
        masks = tuple(
            of_bytes(f"ChMask{n}", CF_LIST_TYPE_1, mask, at + 2 * n, _mask(mask), f"channels {16 * n}–{16 * n + 15}")
            for n, mask in enumerate(_masks(cf_list))
        )
        at_rest = 2 * len(masks)
        rest = of_bytes("RFU", CF_LIST_TYPE_1, cf_list[at_rest:15], at + at_rest, cf_list[at_rest:15].hex())
        inner, source, what = (*masks, rest), CF_LIST_TYPE_1, "channel masks"
    else:
        inner = (of_bytes("not read", where, cf_list[:15], at, cf_list[:15].hex()),)
        source, what = where, "no type that is defined"
    last = of_bytes("CFListType", source, cf_list[15:], at + 15, kind, what)
    return of_bytes("CFList", where, cf_list, at, inner=(*inner, last))


_CF_LIST_MASKS: Final = 6  # 96 channels as in CN470; plans with fewer have RFU in the last of them [from memory]


def _masks(cf_list: bytes) -> list[bytes]:
    return [cf_list[2 * n : 2 * n + 2] for n in range(_CF_LIST_MASKS)]


def _mask(data: bytes) -> str:
    return f"{int.from_bytes(data, 'little'):04x}"


def _key_fields(keys: SessionKeys, accept: JoinAccept, where: str, known: Known) -> list[Field]:
    if known.version.is_1_1 and accept.opt_neg:
        named = {
            "FNwkSIntKey": keys.f_nwk_s_int_key,
            "SNwkSIntKey": keys.s_nwk_s_int_key,
            "NwkSEncKey": keys.nwk_s_enc_key,
            "AppSKey": keys.app_s_key,
        }
    else:
        named = {"NwkSKey": keys.nwk_s_enc_key, "AppSKey": keys.app_s_key}
    derived = "derived"
    return [Field(name, where, key.hex() if known.show_keys else HIDDEN, derived) for name, key in named.items()]


def _word(right: bool) -> str:
    return OK if right else WRONG
