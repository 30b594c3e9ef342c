"""Identifiers and keys: EUI-64, DevAddr, NetID and AES-128 keys.

Identifiers are ints (cheap to hash, to compare and to keep in columns) that print as the field writes them, most
significant digit first. On the wire they are little endian (LoRaWAN 1.0.4 §1.3: "all multi-octet fields are sent
least significant octet first"); keys are not reversed.
"""

from __future__ import annotations

from typing import ClassVar, Self

from lorawan.errors import FrameError


class _Identifier(int):
    """An unsigned integer of a fixed width that prints as hex digits."""

    width: ClassVar[int] = 0
    label: ClassVar[str] = "identifier"

    def __new__(cls, value: int) -> Self:
        if not 0 <= value < 1 << (8 * cls.width):
            raise FrameError(f"{value:#x} does not fit {cls.width} bytes", field=cls.label)
        return super().__new__(cls, value)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """From hex digits as printed on a label; "-", ":" and blanks between them are passed over."""
        digits = text.translate(_SEPARATORS)
        if len(digits) != 2 * cls.width:
            raise FrameError(
                f"{text!r} has {len(digits)} hex digits", field=cls.label, hint=f"write exactly {2 * cls.width}"
            )
        try:
            return cls(int(digits, 16))
        except ValueError as error:
            raise FrameError(f"{text!r} is not hexadecimal", field=cls.label) from error

    @classmethod
    def from_wire(cls, data: bytes) -> Self:
        """From `width` bytes, least significant first."""
        if len(data) != cls.width:
            raise FrameError(f"{len(data)} bytes", field=cls.label, hint=f"{cls.width} are needed")
        return cls(int.from_bytes(data, "little"))

    def to_wire(self) -> bytes:
        """`width` bytes, least significant first."""
        return self.to_bytes(self.width, "little")

    def __str__(self) -> str:
        return f"{int(self):0{2 * self.width}x}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __format__(self, spec: str) -> str:
        return str(self) if not spec else format(int(self), spec)


_SEPARATORS = str.maketrans("", "", "-: ")


class Eui64(_Identifier):
    """DevEUI, JoinEUI (AppEUI) or gateway EUI."""

    width = 8
    label = "EUI-64"


class DevAddr(_Identifier):
    """The 32-bit address of a device within a network."""

    width = 4
    label = "DevAddr"


class NetId(_Identifier):
    """The 24-bit identifier of a network: its type in the top three bits (TS002-1.1 §13)."""

    width = 3
    label = "NetID"

    @property
    def type(self) -> int:
        """0 … 7: how long its NwkID is, and so how many devices it has room for."""
        return self >> 21

    @property
    def nwk_id(self) -> int:
        """The low bits that DevAddrs carry."""
        return self & (1 << _NWK_ID_BITS[self.type]) - 1

    def dev_addr(self, nwk_addr: int) -> DevAddr:
        """The DevAddr of this network with this NwkAddr, cut to the bits there are.

        type + 1 prefix bits (ones, then a zero), NwkID, NwkAddr. Source: TS002-1.1 §13, table of DevAddr formats.
        """
        prefix_bits, nwk_id_bits = self.type + 1, _NWK_ID_BITS[self.type]
        addr_bits = 32 - prefix_bits - nwk_id_bits
        prefix = (1 << prefix_bits) - 2
        network = prefix << 32 - prefix_bits | self.nwk_id << addr_bits
        return DevAddr(network | nwk_addr & (1 << addr_bits) - 1)


_NWK_ID_BITS = (6, 6, 9, 11, 12, 13, 15, 17)  # TS002-1.1 §13, by type


class AesKey(bytes):
    """A 128-bit key. It never shows in a repr, format or log; `.hex()` is the explicit way to see it."""

    def __new__(cls, value: bytes) -> Self:
        if len(value) != 16:
            raise FrameError(f"{len(value)} bytes", field="AES key", hint="a key has 16")
        return super().__new__(cls, value)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """From 32 hex digits; "-", ":" and blanks between them are passed over. The error never repeats the key."""
        digits = text.translate(_SEPARATORS)
        if len(digits) != 32:
            raise FrameError(f"{len(digits)} hex digits", field="AES key", hint="a key has 32")
        try:
            return cls(bytes.fromhex(digits))
        except ValueError:
            raise FrameError("not hexadecimal", field="AES key", hint="a key has 32 hex digits") from None

    def __repr__(self) -> str:
        return "AesKey(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)
