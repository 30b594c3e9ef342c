"""Frames in the order of a capture: joins give keys, counters run on, and every frame is explained with what is known.

Pure: bytes in, explanations out. A frame that is repeated, or heard by several gateways, is judged again and moves
nothing on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from bench.explain.field import OK, WRONG, Explanation
from bench.explain.frame import explain
from bench.explain.known import Known
from bench.explain.sessions import Group, Session, Waiting
from bench.network import DeviceProfile
from lorawan.crypto import SessionKeys
from lorawan.frames import DataDown, DataUp, EncryptedJoinAccept, JoinRequest, RejoinRequest02, RejoinRequest1, parse
from lorawan.ids import DevAddr, Eui64
from lorawan.phy import LoraModulation
from lorawan.version import Version

_WAITING_KEPT: Final = 8  # join requests of one device that an accept may still answer [assumption]


@dataclass(frozen=True, slots=True)
class Followed:
    """A frame explained. device: whose it is, as far as keys show it; group: a multicast group's address."""

    explanation: Explanation
    device: DeviceProfile | None = None
    group: DevAddr | None = None

    @property
    def wrong(self) -> bool:
        """Whether the MIC is wrong for whom the frame says it is of."""
        return self.explanation.mic == WRONG and (self.device is not None or self.group is not None)


@dataclass(slots=True)
class _Following:
    """What is known of one device."""

    profile: DeviceProfile
    waiting: list[Waiting] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)


class Follower:
    """Follows the sessions of these devices and multicast groups. version: taken for strangers' frames."""

    def __init__(
        self,
        devices: Iterable[DeviceProfile],
        groups: Iterable[Group] = (),
        *,
        version: Version = Version.V1_0_4,
        show_keys: bool = False,
    ) -> None:
        self._stranger = Known(version=version, show_keys=show_keys)
        self._show_keys = show_keys
        self._devices: dict[Eui64, _Following] = {}
        self._by_address: dict[DevAddr, list[tuple[_Following, Session]]] = {}
        self._groups: dict[DevAddr, list[Session]] = {}
        for profile in devices:
            following = self._devices[profile.dev_eui] = _Following(profile)
            if profile.dev_addr is not None and profile.session_keys is not None:
                self._begin(following, profile.dev_addr, profile.session_keys, profile.version)
        for group in groups:
            known = Known(
                version=version,
                s_nwk_s_int_key=group.mc_nwk_s_key,
                app_s_key=group.mc_app_s_key,
                multicast=True,
                show_keys=show_keys,
            )
            self._groups.setdefault(group.mc_addr, []).append(Session(group.mc_addr, known))

    def follow(
        self, payload: bytes, *, freq_hz: int | None = None, modulation: LoraModulation | int | None = None
    ) -> Followed:
        """Explain the next frame. Raises FrameError for what is no frame."""
        frame = parse(payload)
        if isinstance(frame, DataUp | DataDown):
            return self._data(frame, payload, freq_hz, modulation)
        if isinstance(frame, JoinRequest):
            return self._join_request(frame, payload)
        if isinstance(frame, EncryptedJoinAccept):
            return self._join_accept(payload)
        if isinstance(frame, RejoinRequest02 | RejoinRequest1):
            return self._rejoin(frame, payload)
        return Followed(explain(payload, self._stranger))

    # -- data ----------------------------------------------------------------------------------------------------------

    def _data(
        self, frame: DataUp | DataDown, payload: bytes, freq_hz: int | None, modulation: LoraModulation | int | None
    ) -> Followed:
        groups = self._groups.get(frame.dev_addr, ()) if isinstance(frame, DataDown) else ()
        for session in groups:
            known = session.known_for(frame, freq_hz, modulation)
            if known is not None:
                return Followed(explain(payload, known), group=frame.dev_addr)
        if groups:
            return Followed(explain(payload, groups[0].guess(frame, freq_hz, modulation)), group=frame.dev_addr)
        owners = self._by_address.get(frame.dev_addr, [])
        for following, session in owners:
            known = session.known_for(frame, freq_hz, modulation)
            if known is not None:
                return Followed(explain(payload, known), following.profile)
        if owners:
            following, session = owners[0]
            return Followed(explain(payload, session.guess(frame, freq_hz, modulation)), following.profile)
        return Followed(explain(payload, self._stranger))

    # -- joins ---------------------------------------------------------------------------------------------------------

    def _join_request(self, frame: JoinRequest, payload: bytes) -> Followed:
        following = self._devices.get(frame.dev_eui)
        if following is None:
            return Followed(explain(payload, self._stranger))
        explanation = explain(payload, self._roots(following))
        if explanation.mic == OK:
            _wait(following, Waiting(frame.join_eui, frame.dev_nonce, None))
        return Followed(explanation, following.profile)

    def _rejoin(self, frame: RejoinRequest02 | RejoinRequest1, payload: bytes) -> Followed:
        following = self._devices.get(frame.dev_eui)
        if following is None:
            return Followed(explain(payload, self._stranger))
        roots = self._roots(following)
        known = [replace(roots, s_nwk_s_int_key=session.known.s_nwk_s_int_key) for session in following.sessions]
        explanations = [explain(payload, one) for one in (known or [roots])]
        best = next((one for one in explanations if one.mic == OK), explanations[0])
        if best.mic == OK:
            # Types 0 and 2 have no JoinEUI in them: it is that of the last join, or what the profile says.
            earlier = following.waiting[-1].join_eui if following.waiting else following.profile.join_eui
            join_eui = frame.join_eui if isinstance(frame, RejoinRequest1) else earlier
            rejoin_type = 1 if isinstance(frame, RejoinRequest1) else frame.rejoin_type
            if join_eui is not None:
                _wait(following, Waiting(join_eui, frame.rj_count, rejoin_type))
        return Followed(best, following.profile)

    def _join_accept(self, payload: bytes) -> Followed:
        waiting = sorted(self._devices.values(), key=lambda following: not following.waiting)
        for following in waiting:
            roots = self._roots(following)
            for asked in reversed(following.waiting):
                known = replace(
                    roots, join_eui=asked.join_eui, dev_nonce=asked.dev_nonce, rejoin_type=asked.rejoin_type
                )
                explanation = explain(payload, known)
                if explanation.mic == OK:
                    self._accepted(following, explanation)
                    return Followed(explanation, following.profile)
            explanation = explain(payload, roots)
            if explanation.mic == OK:  # the request was not captured, so its nonce and the keys stay unknown
                return Followed(explanation, following.profile)
        return Followed(explain(payload, self._stranger))

    def _accepted(self, following: _Following, explanation: Explanation) -> None:
        keys, profile = explanation.keys, following.profile
        if keys is None or any(session.has(keys) for session in following.sessions):
            return  # a copy of the accept begins nothing anew
        address = DevAddr.from_hex(explanation.facts["dev_addr"])
        is_1_1 = profile.version.is_1_1 and bool(explanation.facts["opt_neg"])
        self._begin(following, address, keys, profile.version.in_session(is_1_1=is_1_1))

    # -- sessions ------------------------------------------------------------------------------------------------------

    def _begin(self, following: _Following, address: DevAddr, keys: SessionKeys, version: Version) -> None:
        known = Known(
            version=version,
            f_nwk_s_int_key=keys.f_nwk_s_int_key,
            s_nwk_s_int_key=keys.s_nwk_s_int_key,
            nwk_s_enc_key=keys.nwk_s_enc_key,
            app_s_key=keys.app_s_key,
            show_keys=self._show_keys,
        )
        session = Session(address, known)
        following.sessions.insert(0, session)
        self._by_address.setdefault(address, []).insert(0, (following, session))

    def _roots(self, following: _Following) -> Known:
        profile = following.profile
        return Known(
            version=profile.version,
            app_key=profile.app_key,
            nwk_key=profile.nwk_key,
            dev_eui=profile.dev_eui,
            show_keys=self._show_keys,
        )


def _wait(following: _Following, waiting: Waiting) -> None:
    if waiting not in following.waiting:
        following.waiting.append(waiting)
        del following.waiting[:-_WAITING_KEPT]
