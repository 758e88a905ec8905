"""What a read is counted as: the kind of document that its address names."""

from enum import IntEnum

from app.aemp.address.addresses import Address, FleetAddress, IndexAddress, MachineAddress
from app.aemp.model.series import LOCATIONS


class ReadKind(IntEnum):
    """A kind of document. The numbers stand in connection_read, so none is ever used for another kind."""

    FLEET_PAGE = 1
    MACHINE = 2
    SERIES = 3
    LOCATIONS = 4
    FAULTS = 5
    SERIES_LIST = 6
    FLEET_PAGE_AEMP_1_2 = 7
    MACHINE_AEMP_1_2 = 8


def read_kind(address: Address, *, aemp_1_2: bool) -> ReadKind:
    match address:
        case FleetAddress():
            return ReadKind.FLEET_PAGE_AEMP_1_2 if aemp_1_2 else ReadKind.FLEET_PAGE
        case MachineAddress():
            return ReadKind.MACHINE_AEMP_1_2 if aemp_1_2 else ReadKind.MACHINE
        case IndexAddress():
            return ReadKind.SERIES_LIST
    if address.series is LOCATIONS:
        return ReadKind.LOCATIONS
    return ReadKind.FAULTS if address.series.fault_kind else ReadKind.SERIES
