"""Whether the setting DISTRIBUTED fits how the tables of tokens lie, in words for a terminal."""

from app.storage.distributed.functions import EDITION
from app.storage.distributed.placement import DistributionFacts, astray_told

_NO_CITUS = "use a PostgreSQL with the extension citus, or take ROVITRACKER_DISTRIBUTED away"
_DISTRIBUTE = "rovitracker migrate distribute"


def unfit_distribution(facts: DistributionFacts, *, wanted: bool) -> str | None:
    """What is wrong and, after a colon, what to do; None where nothing is. wanted: whether the setting says citus."""
    if wanted:
        return _unfit_for_citus(facts)
    if facts.spread in ("plain", "none"):
        return None
    return "the tables of tokens are distributed by Citus, and the setting does not say so: set ROVITRACKER_DISTRIBUTED=citus"


def _unfit_for_citus(facts: DistributionFacts) -> str | None:
    said = {
        "plain": f"ROVITRACKER_DISTRIBUTED=citus is set, and this PostgreSQL has no Citus: {_NO_CITUS}",
        "none": f"ROVITRACKER_DISTRIBUTED=citus is set, and no table is distributed: run `{_DISTRIBUTE}`",
        "half": f"the schema is half distributed, {', '.join(facts.missing)} is not: run `{_DISTRIBUTE}`",
    }
    if facts.astray:
        return f"the schema is half distributed, {astray_told(facts)}, then `{_DISTRIBUTE}`"
    if facts.spread == "whole" and facts.edition != EDITION:
        return f"the functions of the distribution are of another version: run `{_DISTRIBUTE}`"
    return said.get(facts.spread)
