"""ICC profiles of images: which of them a PDF/A may carry, and one for CMYK images that have none.

Under an sRGB output intent grey and RGB need no profile. CMYK does (ISO 19005-2, 6.2.4.3): its numbers are amounts of
ink, and mean a colour only with a press.
"""

import io
import struct
from functools import cache

MAX_BYTES = 4 << 20
"""Profiles of presses have up to 3 MB."""

_SPACES = {1: b"GRAY", 3: b"RGB ", 4: b"CMYK"}
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_CLASSES = {b"scnr", b"mntr", b"prtr", b"spac"}
_NEWEST_VERSION = 4  # PDF/A-2 (6.2.4.2) knows ICC.1 up to version 4

_INKS = bytes.fromhex(
    "ff80809d807e1f8280f679ae987c9d197e8ef077db947abd167c8dbca77a729a7b099083b8a29f6e9795078d85b4a1c76c95b3068a8486d0"
    "794eb77b04878284cd984bb49104878284cab74ab3aa048883c76a637b716c0f7c75c1608f766a8a0d7786bc5dba7266a80b7886908d6155"
    "8a6a01817b8c85845283830080808a82a8507f9e0080805db55d2faa660080805baf7a2ca67a0080805cac972ca194008080a96b54687162"
    "04856d9e587b61647d027f7f974ca25e5b97027e81757a51427e5e01827a6d68703d7075008080685b8f39678c008080409949149c510080"
    "803c8b63118d6600808039817e10827e008080"
)
"""L, a, b (8 bits each) of no, half and full cyan by magenta by yellow by black, in this order, black the fastest.

Measured on how PDFium, the viewer of Chrome, shows DeviceCMYK: much as Acrobat does, as the web offset press SWOP.
"""


def profile_for(embedded: bytes, channels: int) -> bytes | None:
    """Return the profile with which PDF/A shows an image of 1, 3 or 4 channels; None for grey or RGB as they are.

    `embedded` is what the image brings along, empty for nothing. It is taken if it fits and can be used.
    """
    size = int.from_bytes(embedded[:4])
    if size <= len(embedded) and _is_usable(embedded[:size], channels):
        return embedded[:size]
    return cmyk() if channels == 4 else None


def _is_usable(profile: bytes, channels: int) -> bool:
    """Tell whether a profile is one that PDF/A allows, of as many channels, and can be calculated with."""
    if len(profile) < 132 or len(profile) > MAX_BYTES or profile[36:40] != b"acsp" or profile[8] > _NEWEST_VERSION:
        return False
    if profile[12:16] not in _CLASSES or profile[16:20] != _SPACES[channels] or not _has_its_tags(profile):
        return False
    from PIL import ImageCms

    try:
        screen = ImageCms.createProfile("sRGB")
        how = _MODES[channels], "RGB", ImageCms.Intent.PERCEPTUAL, ImageCms.Flags.NOOPTIMIZE
        ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), screen, *how)
    except (ImageCms.PyCMSError, OSError):
        return False
    return True


def _has_its_tags(profile: bytes) -> bool:
    """Tell whether every tag lies within the profile: Little CMS passes over those that do not, others stumble."""
    count = int.from_bytes(profile[128:132])
    if 132 + 12 * count > len(profile):
        return False
    places = (struct.unpack_from(">II", profile, 132 + 12 * n + 4) for n in range(count))
    return all(start >= 128 and start + length <= len(profile) for start, length in places)


@cache
def cmyk() -> bytes:
    """Build a profile for CMYK without one (ICC.1:2001-04, version 2.4): under 1 KB, between the measured inks linear.

    Its class is that of input devices, which need the way from CMYK to colour only.
    """
    curve = struct.pack(">HH", 0, 0xFFFF)
    identity = struct.pack(">9i", *(65536 * (n % 4 == 0) for n in range(9)))
    table = struct.pack(f">{len(_INKS)}H", *(value << 8 for value in _INKS))
    name = b"CMYK as viewers show it\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(4 + 4 + 2 + 1 + 67),
        b"cprt": b"text" + bytes(4) + b"No copyright is claimed.\0",
        b"wtpt": b"XYZ " + bytes(4) + _D50,
        b"A2B0": b"mft2" + bytes(4) + bytes([4, 3, 3, 0]) + identity + struct.pack(">HH", 2, 2)
        + curve * 4 + table + curve * 3,
    }  # fmt: skip
    index, content = struct.pack(">I", len(tags)), b""
    first = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        index += tag + struct.pack(">II", first + len(content), len(data))
        content += data + bytes(-len(data) % 4)
    date = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    header = struct.pack(">I", first + len(content)) + bytes(4) + b"\x02\x40\0\0scnrCMYKLab " + date + b"acsp"
    header += bytes(28) + _D50 + bytes(48)
    return header + index + content


_D50 = struct.pack(">3i", 63190, 65536, 54061)
