"""Boot and download modes: what a modem is on the bus when it does not run its firmware.

Sources: the comments of Linux' qcserial ("QDL"), kernel logs of Fibocom L850 owners (8087:07f5 for some seconds, then
the modem), the flashing tools edl, mtkclient and spreadtrum_flash.
"""

from __future__ import annotations

from remsim.modems.ports import UsbModem

SIERRA = "Sierra's boot loader (QDL), in which firmware is loaded"
QUALCOMM = "Qualcomm's emergency download mode (EDL): its firmware did not start"
DUMP = "Qualcomm's crash dump mode: its firmware crashed"
MEDIATEK_ROM = "MediaTek's boot ROM: it found no firmware to start"
MEDIATEK = "MediaTek's preloader, through which firmware is loaded"
INTEL = "Intel's flash mode, which is left after some seconds when there is firmware"
UNISOC = "Unisoc's download mode: its firmware did not start"
FASTBOOT = "fastboot, in which firmware is loaded"

ROWS = (
    UsbModem("1199:68a4", "sierra", "modem", (), boot_mode=SIERRA),
    UsbModem("1199:68a8", "sierra", "modem", (), boot_mode=SIERRA),
    UsbModem("1199:9010", "sierra", "modem", (), boot_mode=SIERRA),
    UsbModem("1199:9012", "sierra", "modem", (), boot_mode=SIERRA),
    UsbModem("1199:9014", "sierra", "modem", (), boot_mode=SIERRA),
    UsbModem("1199:9018", "sierra", "modem", (), boot_mode=SIERRA),
    UsbModem("1199:9070", "sierra", "MC7455", (), "MDM9x30", boot_mode=SIERRA),
    UsbModem("1199:9078", "sierra", "EM7455", (), "MDM9x30", boot_mode=SIERRA),
    UsbModem("1199:907a", "sierra", "EM7430", (), "MDM9x30", boot_mode=SIERRA),
    UsbModem("413c:81b5", "sierra", "EM7455", (), "MDM9x30", boot_mode=SIERRA),
    UsbModem("1199:9090", "sierra", "EM7565", (), "MDM9x50", boot_mode=SIERRA),
    UsbModem("1199:90b0", "sierra", "EM7565", (), "MDM9x50", boot_mode=SIERRA),
    UsbModem("1199:90d2", "sierra", "EM9190", (), "SDX55", boot_mode=SIERRA),
    UsbModem("05c6:9008", "qualcomm", "modem", (), boot_mode=QUALCOMM),
    UsbModem("05c6:900e", "qualcomm", "modem", (), boot_mode=DUMP),
    UsbModem("0e8d:0003", "mediatek", "modem", (), "mediatek", boot_mode=MEDIATEK_ROM),
    UsbModem("0e8d:2000", "mediatek", "modem", (), "mediatek", boot_mode=MEDIATEK),
    UsbModem("8087:07f5", "intel", "L850-GL", (), "XMM7360", boot_mode=INTEL),
    UsbModem("1782:4d00", "unisoc", "modem", (), "unisoc", boot_mode=UNISOC),
    UsbModem("18d1:d00d", "android", "modem", (), boot_mode=FASTBOOT),
)
BY_ID = {row.usb_id: row for row in ROWS}

ADVICE = {
    SIERRA: "Wait a minute; if it stays so, unplug it, and then load its firmware again with the vendor's tool.",
    QUALCOMM: "Cut its power for ten seconds; if it comes back so, load its firmware again with the vendor's tool.",
    DUMP: "Cut its power for ten seconds; if it happens again, update its firmware.",
    MEDIATEK_ROM: "Cut its power for ten seconds; if it comes back so, load its firmware again with the vendor's tool.",
    MEDIATEK: "Wait a minute; if it stays so, cut its power for ten seconds.",
    INTEL: "Wait half a minute; if it stays so, cut its power for ten seconds or load its firmware again.",
    UNISOC: "Cut its power for ten seconds; if it comes back so, load its firmware again with the vendor's tool.",
    FASTBOOT: "Cut its power for ten seconds; if it comes back so, load its firmware again with the vendor's tool.",
}


def sentence(boot_mode: str) -> str:
    """What a modem in a boot mode tells its owner."""
    return f"The modem is in {boot_mode}. {ADVICE[boot_mode]}"
