"""The products that can be simulated. A new one is a row here; its replies come from its family's tables."""

from __future__ import annotations

from dataclasses import field

from remsim.core.small_dataclass import dataclass
from remsim.simulator import usb
from remsim.simulator.radio import Bands
from remsim.simulator.usb import Composition


@dataclass(frozen=True, slots=True)
class Model:
    """One product.

    ``family`` chooses the command tables, ``compositions`` are what it shows on USB by the name of the mode it was set
    to, the default first. ``proven`` says what its replies rest on: ``capture`` is text of this module, ``family`` that
    of modules of its platform. Times are a real device's: ``drop_s`` from a reset to its leaving USB, ``away_s`` until
    it is back. ``forgets`` are settings its firmware loses over a reset.
    """

    vendor: str
    family: str
    name: str
    firmware: str
    manufacturer: str
    compositions: dict[str, Composition]
    tac: str
    bands: Bands
    proven: str = "family"
    is_lte_only: bool = False
    most_carriers: int = 0
    slots: int = 2
    has_euicc: bool = False
    drop_s: float = 1.0
    away_s: float = 25.0
    boot_id: str | None = None
    forgets: frozenset[str] = field(default_factory=frozenset)

    @property
    def modes(self) -> frozenset[str]:
        """The technologies its radio has."""
        found = {"LTE"}
        if self.bands.umts:
            found.add("UMTS")
        if self.bands.nsa or self.bands.sa:
            found.add("NR")
        return frozenset(found)

    @property
    def composition(self) -> str:
        """The name of the composition it leaves the factory with."""
        return next(iter(self.compositions))


def bands(umts: str = "", lte: str = "", nsa: str = "", sa: str | None = None) -> Bands:
    """Bands from lists with blanks; ``sa`` is as ``nsa`` when not said."""
    parts = [frozenset(map(int, text.split())) for text in (umts, lte, nsa, nsa if sa is None else sa)]
    return Bands(*parts)


def fibocom(default: str) -> dict[str, Composition]:
    """The compositions of a Qualcomm module, its default first."""
    return {default: usb.FIBOCOM_QUALCOMM[default]} | usb.FIBOCOM_QUALCOMM


LTE_EU = "1 3 5 7 8 20 28 38 40 41"
LTE_EC25E = "1 3 5 7 8 20 38 40 41"
LTE_WORLD = "1 2 3 4 5 7 8 12 13 14 17 18 19 20 25 26 28 29 30 32 34 38 39 40 41 42 43 46 48 66 71"
LTE_EM12 = "1 2 3 4 5 7 8 9 12 13 14 17 18 19 20 21 25 26 28 29 30 32 38 39 40 41 66"
NR_WORLD = "1 2 3 5 7 8 12 20 25 28 38 40 41 48 66 71 77 78 79"
FM350_LTE = "1 2 3 4 5 7 8 12 13 14 17 18 19 20 25 26 28 29 30 32 34 38 39 40 41 42 43 46 48 66 71"
FM350_NR = "1 2 3 5 7 8 20 25 28 30 38 40 41 48 66 71 77 78 79"
SIERRA = "Sierra Wireless, Incorporated"
FIBOCOM = "Fibocom Wireless Inc."

ROWS = (
    Model(
        "quectel", "rm5xx", "RM520N-GL", "RM520NGLAAR03A01M4G", "Quectel",
        {str(net): usb.quectel("2c7c:0801", net) for net in usb.QUECTEL_NETS}, "86837105",
        bands("1 5 8 19", LTE_WORLD, NR_WORLD), "capture", most_carriers=2, boot_id="05c6:9008",
    ),
    Model(
        "sierra", "9x50", "EM7565", "SWI9X50C_01.14.02.00", SIERRA,
        {mask: usb.sierra_qc("1199:9091", int(mask, 16)) for mask in ("10D", "109", "100D", "1009", "105")}, "35390209",
        bands("1 2 4 5 6 8 9 19", "1 2 3 4 5 7 8 9 12 13 18 19 20 26 28 29 30 32 41 42 43 46 48 66"), "capture",
        is_lte_only=True, most_carriers=2, boot_id="1199:9090",
    ),
    Model(
        "fibocom", "fm350", "FM350-GL", "81600.0000.00.29.22.40", FIBOCOM,
        {"41": usb.FM350_41, "40": usb.FM350_40}, "35417440",
        bands("1 2 4 5 8", FM350_LTE, FM350_NR), "capture",
        most_carriers=2, has_euicc=True, drop_s=49.0, away_s=28.0, boot_id="0e8d:2000",
        forgets=frozenset({"bands"}),
    ),
    Model(
        "quectel", "lte", "EC25", "EC25EFAR06A03M4G", "Quectel",
        {str(net): usb.quectel("2c7c:0125", net) for net in usb.QUECTEL_NETS}, "86995506",
        bands("1 5 8", LTE_EC25E), "capture", is_lte_only=True, slots=1, boot_id="05c6:9008",
    ),
    Model(
        "quectel", "lte", "EG25-G", "EG25GGBR07A08M2G", "Quectel",
        {str(net): usb.quectel("2c7c:0125", net) for net in usb.QUECTEL_NETS}, "86995507",
        bands("1 2 4 5 6 8 19", "1 2 3 4 5 7 8 12 13 18 19 20 25 26 28 38 39 40 41"), "capture", is_lte_only=True,
    ),
    Model(
        "quectel", "rm5xx", "RM500Q-GL", "RM500QGLABR11A06M4G", "Quectel",
        {str(net): usb.quectel("2c7c:0800", net) for net in usb.QUECTEL_NETS}, "86449704",
        bands("1 2 4 5 8 19", LTE_WORLD, NR_WORLD), "capture", most_carriers=2,
    ),
    Model(
        "quectel", "rm5xx", "RM502Q-AE", "RM502QAEAAR11A02M4G", "Quectel",
        {str(net): usb.quectel("2c7c:0800", net) for net in usb.QUECTEL_NETS}, "86449705",
        bands("1 2 4 5 8 19", LTE_WORLD, NR_WORLD), "capture", most_carriers=2,
    ),
    Model(
        "quectel", "unisoc", "RM500U-CNV", "RM500UCNVCAR03A12M2G", "Quectel",
        {str(net): usb.quectel("2c7c:0900", net) for net in (5, 1, 2, 3)}, "86995506",
        bands("1 5 8", "1 3 5 7 8 20 28 34 38 39 40 41", "1 3 5 8 28 41 77 78 79"), "capture",
    ),
    Model(
        "quectel", "lte", "EP06-E", "EP06ELAR04A04M4G", "Quectel",
        {str(net): usb.quectel("2c7c:0306", net) for net in usb.QUECTEL_NETS}, "86975903",
        bands("1 3 5 8", "1 3 5 7 8 20 28 32 38 40 41"), "capture", is_lte_only=True, most_carriers=1,
    ),
    Model(
        "quectel", "lte", "EM12-G", "EM12GPAR01A21M4G", "Quectel",
        {str(net): usb.quectel("2c7c:0512", net) for net in usb.QUECTEL_NETS}, "86975904",
        bands("1 2 3 4 5 6 8 9 19", LTE_EM12), "capture", is_lte_only=True, most_carriers=2,
    ),
    Model(
        "quectel", "bg96", "BG96", "BG96MAR02A10M1G", "Quectel",
        {"0": usb.quectel("2c7c:0296")}, "86642503",
        bands("", "1 2 3 4 5 8 12 13 18 19 20 26 28"), "capture", is_lte_only=True, slots=1,
    ),
    Model(
        "sierra", "9x30", "MC7455", "SWI9X30C_02.33.03.00", SIERRA,
        {mask: usb.sierra_qc("1199:9071", int(mask, 16)) for mask in ("10D", "109", "100D", "1009", "105")}, "35907206",
        bands("1 2 3 4 5 8", "1 2 3 4 5 7 8 12 13 20 25 26 29 30 41"), "capture",
        is_lte_only=True, most_carriers=1, slots=1, boot_id="1199:9070",
    ),
    Model(
        "sierra", "9x30", "EM7455", "SWI9X30C_02.24.05.06", SIERRA,
        {mask: usb.sierra_qc("1199:9079", int(mask, 16)) for mask in ("10D", "109", "100D", "1009", "105")}, "35907207",
        bands("1 2 3 4 5 8", "1 2 3 4 5 7 8 12 13 20 25 26 29 30 41"), "capture",
        is_lte_only=True, most_carriers=1, slots=1, boot_id="1199:9078",
    ),
    Model(
        "sierra", "9x50", "EM7511", "SWI9X50C_01.14.13.00", SIERRA,
        {mask: usb.sierra_qc("1199:9091", int(mask, 16)) for mask in ("10D", "109", "100D", "1009", "105")}, "35390210",
        bands("1 2 4 5 8", "1 2 3 4 5 7 8 9 12 13 14 18 19 20 26 28 29 30 32 41 42 43 46 48 66"), "family",
        is_lte_only=True, most_carriers=2, boot_id="1199:9090",
    ),
    Model(
        "sierra", "9x50", "EM7411", "SWI9X07H_00.08.21.00", SIERRA,
        {mask: usb.sierra_qc("1199:9091", int(mask, 16)) for mask in ("10D", "109", "100D", "1009", "105")}, "35390211",
        bands("1 2 4 5", "2 4 5 7 12 13 14 25 26 41 42 43 48 66 71 1 3 8 20"), "family",
        is_lte_only=True, most_carriers=2, boot_id="1199:9090",
    ),
    Model(
        "sierra", "sdx", "EM9190", "SWIX55C_03.17.04", SIERRA,
        {mask: usb.sierra_sdx("1199:90d3", int(mask, 16)) for mask in ("100D", "1009", "10D", "1005")}, "35156611",
        bands("1 2 4 5 6 8 9 19", LTE_WORLD, NR_WORLD), "family", most_carriers=2, has_euicc=True,
        boot_id="1199:90d2",
    ),
    Model(
        "sierra", "sdx", "EM9291", "SWIX65C_02.13.08", SIERRA,
        {mask: usb.sierra_sdx("1199:90e3", int(mask, 16)) for mask in ("100D", "1009", "10D", "1005")}, "35156612",
        bands("1 2 4 5 6 8 9 19", LTE_WORLD, NR_WORLD), "capture", most_carriers=2, has_euicc=True,
    ),
    Model(
        "fibocom", "fm160", "FM150-AE", "89602.1000.00.04.07.20", FIBOCOM,
        fibocom("32"), "86925404",
        bands("1 2 4 5 8", LTE_WORLD, NR_WORLD), "capture", most_carriers=2, drop_s=2.0, away_s=25.0,
    ),
    Model(
        "fibocom", "fm160", "FM160-EAU", "89614.1000.00.04.01.02", FIBOCOM,
        fibocom("30"), "86814706",
        bands("1 5 8", LTE_WORLD, NR_WORLD), "capture", most_carriers=2, drop_s=2.0, away_s=25.0,
    ),
    Model(
        "fibocom", "fm160", "FM160-MBIM", "89614.1000.00.04.01.02", FIBOCOM,
        fibocom("28"), "86814707",
        bands("1 5 8", LTE_WORLD, NR_WORLD), "family", most_carriers=2, drop_s=2.0, away_s=25.0,
    ),
    Model(
        "fibocom", "xmm", "L850-GL", "18500.5001.00.05.27.30", FIBOCOM,
        {"0": usb.L850_NCM, "7": usb.L850_MBIM}, "86423004",
        bands("1 2 4 5 8", "1 2 3 4 5 7 8 11 12 13 17 18 19 20 21 26 28 29 30 38 39 40 41 66"), "capture",
        is_lte_only=True, most_carriers=2, slots=1, drop_s=2.0, away_s=20.0,
    ),
    Model(
        "fibocom", "xmm", "L860-GL", "18601.5001.00.01.00.18", FIBOCOM,
        {"0": usb.L850_NCM, "7": usb.L850_MBIM}, "86423005",
        bands("1 2 4 5 8", "1 2 3 4 5 7 8 11 12 13 14 17 18 19 20 25 26 28 29 30 32 38 39 40 41 42 46 48 66"),
        "capture", is_lte_only=True, most_carriers=2, slots=1, drop_s=2.0, away_s=20.0,
    ),
    Model(
        "thales", "thales", "PLS8-E", "REVISION 03.017", "Cinterion", {"0": usb.PLS8}, "35780204",
        bands("1 3 8", "3 7 8 20 1"), "family", is_lte_only=True, slots=1,
    ),
    Model(
        "thales", "thales", "MV31-W", "T99W175.F0.1.0.0.9.GC.004", "Cinterion", {"0": usb.MV31_MBIM}, "35756510",
        bands("1 2 4 5 8", LTE_WORLD, NR_WORLD), "family", most_carriers=2,
    ),
    Model(
        "generic", "generic", "MODEM-27.007", "1.0", "Generic", {"0": usb.GENERIC}, "35000000",
        bands("1 8", LTE_EU), "family", is_lte_only=True, slots=1,
    ),
)  # fmt: skip

MODELS = {row.name: row for row in ROWS}


def model_named(text: str) -> Model | None:
    """A model by its name, in any case; the first whose name begins so."""
    wanted = text.strip().upper()
    exact = next((row for row in ROWS if row.name.upper() == wanted), None)
    return exact or next((row for row in ROWS if wanted and row.name.upper().startswith(wanted)), None)
