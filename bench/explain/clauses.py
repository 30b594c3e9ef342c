"""Which clause defines a field, in each version's own document.

Source: the tables of contents and texts of LoRaWAN 1.0.2, 1.0.3 and 1.1, and of TS001-1.0.4; RP002-1.0.4 §2.3 for
CFLists; TS011-1.0.0 §10 for relay commands.
"""

from __future__ import annotations

from typing import Final

from lorawan.version import Version

_DOCUMENTS: Final = {
    Version.V1_0_2: "LoRaWAN 1.0.2",
    Version.V1_0_3: "LoRaWAN 1.0.3",
    Version.V1_0_4: "TS001-1.0.4",
    Version.V1_1: "LoRaWAN 1.1",
}
_ORDER: Final = (Version.V1_0_2, Version.V1_0_3, Version.V1_0_4, Version.V1_1)

# In the order of `_ORDER`; "" where the version has no such thing
_SECTIONS: Final[dict[str, tuple[str, str, str, str]]] = {
    "PHYPayload": ("4.1", "4.1", "4.1", "4.1"),
    "MHDR": ("4.2", "4.2", "4.2", "4.2"),
    "FType": ("4.2.1", "4.2.1", "4.2.1", "4.2.1"),
    "Major": ("4.2.2", "4.2.2", "4.2.2", "4.2.2"),
    "FHDR": ("4.3.1", "4.3.1", "4.3.1", "4.3.1"),
    "ADR": ("4.3.1.1", "4.3.1.1", "4.3.1.1", "4.3.1.1"),
    "ACK": ("4.3.1.2", "4.3.1.2", "4.3.1.2", "4.3.1.2"),
    "FPending": ("4.3.1.4", "4.3.1.4", "4.3.1.4", "4.3.1.4"),
    "FCnt": ("4.3.1.5", "4.3.1.5", "4.3.1.5", "4.3.1.5"),
    "FOpts": ("4.3.1.6", "4.3.1.6", "4.3.1.6", "4.3.1.6"),
    "ClassB": ("10", "10", "4.3.1.7", "4.3.1.7"),
    "FPort": ("4.3.2", "4.3.2", "4.3.2", "4.3.2"),
    "FRMPayload": ("4.3.3", "4.3.3", "4.3.3", "4.3.3"),
    "MIC up": ("4.4", "4.4", "4.4", "4.4.2"),
    "MIC down": ("4.4", "4.4", "4.4", "4.4.1"),
    "MAC commands": ("5", "5", "5", "5"),
    "Join-Request": ("6.2.4", "6.2.4", "6.2.5", "6.2.2"),
    "Join-Accept": ("6.2.5", "6.2.5", "6.2.6", "6.2.3"),
    "Rejoin-Request": ("", "", "", "6.2.4"),
    "Multicast": ("11.2.2", "11.2.2", "9.3", "11.2.2"),
    "Beacon": ("15.2", "15.2", "13.2", "15.2"),
    "GwSpecific": ("15.3", "15.3", "13.3", "15.3"),
}

# By CID. The request and its answer stand under one heading.
_COMMANDS: Final[dict[int, tuple[str, str, str, str]]] = {
    0x01: ("", "", "", "5.1"),
    0x02: ("5.1", "5.1", "5.1", "5.2"),
    0x03: ("5.2", "5.2", "5.2", "5.3"),
    0x04: ("5.3", "5.3", "5.3", "5.4"),
    0x05: ("5.4", "5.4", "5.4", "5.5"),
    0x06: ("5.5", "5.5", "5.5", "5.6"),
    0x07: ("5.6", "5.6", "5.6", "5.7"),
    0x08: ("5.7", "5.7", "5.7", "5.8"),
    0x09: ("5.8", "5.8", "5.8", "5.9"),
    0x0A: ("5.6", "5.6", "5.6", "5.7"),
    0x0B: ("", "", "", "5.10"),
    0x0C: ("", "", "", "5.11"),
    0x0D: ("", "5.9", "5.9", "5.12"),
    0x0E: ("", "", "", "5.13"),
    0x0F: ("", "", "", "5.14"),
    0x10: ("14.1", "14.1", "12.1", "14.1"),
    0x11: ("14.3", "14.3", "12.3", "14.3"),
    0x12: ("14.4", "14.4", "", "14.4"),
    0x13: ("14.2", "14.2", "12.2", "14.2"),
    0x20: ("", "", "", "18.1"),
}
_RELAY_CIDS: Final = range(0x40, 0x47)

CF_LIST_TYPE_0: Final = "RP002-1.0.4 §2.3.1"
CF_LIST_TYPE_1: Final = "RP002-1.0.4 §2.3.2"


def clause(topic: str, version: Version) -> str:
    """The clause of a topic of the table; where the version has none, that of the next document that has one."""
    return _cited(_SECTIONS[topic], version)


def command_clause(cid: int, version: Version) -> str:
    """The clause of a MAC command by its CID; of one that nobody defines, the chapter on MAC commands."""
    if cid in _RELAY_CIDS:
        return f"TS011-1.0.0 §10.{cid - _RELAY_CIDS.start + 1}"
    sections = _COMMANDS.get(cid)
    return clause("MAC commands", version) if sections is None else _cited(sections, version)


def _cited(sections: tuple[str, str, str, str], version: Version) -> str:
    own = sections[_ORDER.index(version)]
    if own:
        return f"{_DOCUMENTS[version]} §{own}"
    other = next(at for at in reversed(range(len(_ORDER))) if sections[at])
    return f"{_DOCUMENTS[_ORDER[other]]} §{sections[other]}"
