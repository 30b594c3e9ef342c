"""Channel masks: what LinkADRReq's ChMaskCntl and ChMask do to one, and the requests that bring one about.

A mask is an int, bit i for channel i.

Source: TS001-1.0.4 §5.2; the ChMaskCntl table of each region (`Region.mask_controls`).
"""

from __future__ import annotations

from lorawan.regions.region import MaskControl, MaskKind, Region

_GROUP = (1 << 16) - 1
_WIDE_FIRST = 64  # the first 500 kHz channel of US915 and AU915
_NARROW = (1 << _WIDE_FIRST) - 1


def apply_mask(region: Region, mask: int, defined: int, ch_mask_cntl: int, ch_mask: int) -> int | None:
    """The mask after one LinkADRReq; None where ChMaskCntl is RFU. RFU bits of ChMask are passed over.

    defined: the channels that exist. ch_mask_cntl: 0–7; ch_mask: 0–65535.
    """
    control = region.mask_controls[ch_mask_cntl]
    if control is None:
        return None
    wide = (ch_mask & 0xFF) << _WIDE_FIRST
    match control.kind:
        case MaskKind.GROUP:
            at = 16 * control.group
            exists = _GROUP << at & ((1 << region.max_channels) - 1)
            return mask & ~exists | ch_mask << at & exists
        case MaskKind.ALL_DEFINED:
            return defined
        case MaskKind.ALL_OFF:
            return 0
        case MaskKind.NARROW_ON:
            return _NARROW | wide
        case MaskKind.NARROW_OFF:
            return wide
        case MaskKind.BLOCKS:
            return _blocks(ch_mask)


def _blocks(ch_mask: int) -> int:
    chosen = [k for k in range(8) if ch_mask >> k & 1]
    return sum(0xFF << 8 * k for k in chosen) | (ch_mask & 0xFF) << _WIDE_FIRST


def mask_requests(region: Region, mask: int) -> tuple[tuple[int, int], ...]:
    """(ChMaskCntl, ChMask) of a block of LinkADRReqs that leaves any device with `mask`, whatever it had.

    One for a dynamic plan, for all channels and for whole blocks of eight; at most five, of which FOpts hold three.
    """
    groups = [(group, mask >> 16 * group & _GROUP) for group in range(-(-region.max_channels // 16))]
    if len(groups) == 1:
        return (groups[0],)
    if region.has_blocks:
        wide = mask >> _WIDE_FIRST
        for single in ((5, wide), (6, wide)):
            if apply_mask(region, 0, region.default_ch_mask, *single) == mask:
                return (single,)
        return ((7, wide), *((group, bits) for group, bits in groups[:4] if bits))
    if mask == region.default_ch_mask:
        return ((region.mask_controls.index(MaskControl(MaskKind.ALL_DEFINED)), 0),)
    off = (region.mask_controls.index(MaskControl(MaskKind.ALL_OFF)), 0)
    return (off, *((group, bits) for group, bits in groups if bits))
