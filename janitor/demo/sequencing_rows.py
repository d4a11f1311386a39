"""What the made-up lab sequenced: the rows of MLWH and MLWH Events, in the order of their ids."""

import hashlib
from collections.abc import Iterator

from janitor.demo.lab_rows import (
    EVENT,
    LABWARE,
    MANIFEST_SAMPLES,
    SAMPLE,
    STUDY,
    Lab,
    Maker,
    Row,
    has_no_flowcell,
    has_no_irods_path,
    has_no_manifest,
    has_no_supplier_name,
    labware_barcode,
    lanes,
    uuid_bytes,
    uuid_text,
)

FIRST_RUN = 47000
STATUSES = (
    "run pending",
    "run in progress",
    "run on hold",
    "run complete",
    "run mirrored",
    "analysis pending",
    "analysis in progress",
    "secondary analysis in progress",
    "analysis complete",
    "qc review pending",
    "qc in progress",
    "archival in progress",
    "qc complete",
)


def samples(lab: Lab) -> Iterator[Row]:
    """Make the samples, with their registered name and their supplier's name."""
    for n in range(1, lab.samples + 1):
        supplier = None if has_no_supplier_name(n) else f"supplier sample {n}"
        when = lab.at(0.1 * n / lab.samples)
        yield n, "SQSCP", uuid_text(lab.seed, SAMPLE, n), str(n), when, when, f"{study_of(lab, n)}STDY{n}", supplier


def study_of(lab: Lab, sample: int) -> int:
    """Return the study of a sample: all samples of a manifest belong to one study."""
    return (sample - 1) // MANIFEST_SAMPLES % lab.studies + 1


def studies(lab: Lab) -> Iterator[Row]:
    """Make the studies. Study 17 has no name."""
    for n in range(1, lab.studies + 1):
        name = None if n == 17 else f"Study {n} of cell line {n * 37 % 101}"
        yield n, "SQSCP", str(5000 + n), lab.at(0), lab.at(0), name


def flowcells(lab: Lab) -> Iterator[Row]:
    """Make a flowcell row for each product, with its sample and study."""
    for run in range(1, lab.runs + 1):
        when, name = lab.at(started(lab, run)), str(80000 + run)
        for product in range(lab.products):
            sample = lab.sample(run, product)
            lane, tag = product % lanes(run) + 1, product // lanes(run) + 1
            own = (run - 1) * lab.products + product + 1
            study = study_of(lab, sample)
            yield own, when, when, sample, study, "SQSCP", name, lane, tag, "library_indexed", str(own), f"NT{run}P"


def products(lab: Lab) -> Iterator[Row]:
    """Make the products: each run has a product of each of its samples. Most are linked to their flowcell row."""
    for run in range(1, lab.runs + 1):
        when = lab.at(started(lab, run) + 0.03)
        for product in range(lab.products):
            lane, tag = product % lanes(run) + 1, product // lanes(run) + 1
            own = (run - 1) * lab.products + product + 1
            flowcell = None if has_no_flowcell(own) else own
            yield own, product_id(FIRST_RUN + run, lane, tag), when, flowcell, FIRST_RUN + run, lane, tag, int(
                own % 50 > 0
            )


def product_id(id_run: int, lane: int, tag: int) -> str:
    """Return the digest that names a product everywhere."""
    return hashlib.sha256(f'{{"id_run":{id_run},"position":{lane},"tag_index":{tag}}}'.encode()).hexdigest()


def irods_locations(lab: Lab) -> Iterator[Row]:
    """Make the iRODS paths of most products; one product in three has an index file beside it."""
    own = 0
    for run in range(1, lab.runs + 1):
        id_run, when = FIRST_RUN + run, lab.at(started(lab, run) + 0.11)
        root = f"/seq/illumina/runs/{id_run // 1000}/{id_run}"
        for product in range(lab.products):
            if has_no_irods_path((run - 1) * lab.products + product + 1):
                continue
            own += 1
            lane, tag = product % lanes(run) + 1, product // lanes(run) + 1
            path = f"lane{lane}/plex{tag}/{id_run}_{lane}#{tag}.cram"
            index = f"{path}.crai" if own % 3 == 0 else None
            yield own, when, when, product_id(id_run, lane, tag), "Illumina", "npg-prod", root, path, index


def started(lab: Lab, run: int) -> float:
    """Return when a run began, as a share of the lab's days. A run takes less than an eighth of them."""
    return 0.87 * run / lab.runs


def status_names(lab: Lab) -> Iterator[Row]:
    """Make the dictionary of run statuses."""
    for n, name in enumerate(STATUSES, start=1):
        yield n, name, 1, n * 10


def statuses(lab: Lab) -> Iterator[Row]:
    """Make thirteen statuses for each run, numbered by date over all runs."""
    chance = lab.random("statuses")
    found = []
    for run in range(1, lab.runs + 1):
        share = started(lab, run)
        for status in range(1, len(STATUSES) + 1):
            found.append((share, run, status))
            share += chance.uniform(0.001, 0.01)
    for own, (share, run, status) in enumerate(sorted(found), start=1):
        yield own, FIRST_RUN + run, lab.at(share), status, int(status == len(STATUSES))


MANIFEST_CREATED, MANIFEST_UPDATED = 1, 2
ROLE_SAMPLE, ROLE_LABWARE, ROLE_STUDY = 1, 2, 3


def event_types(lab: Lab) -> Iterator[Row]:
    """Make the types of event that touch samples."""
    yield MANIFEST_CREATED, "sample_manifest.created", "A manifest was made"
    yield MANIFEST_UPDATED, "sample_manifest.updated", "A manifest was filled in, or corrected"


def role_types(lab: Lab) -> Iterator[Row]:
    """Make the roles that a subject can have in an event."""
    yield ROLE_SAMPLE, "sample", "A sample the event is about"
    yield ROLE_LABWARE, "labware", "A labware that holds such samples"
    yield ROLE_STUDY, "study", "The study they belong to"


def subjects(lab: Lab) -> Iterator[Row]:
    """Make the subjects: all samples, then three labwares for each manifest, then the studies."""
    when = lab.at(0)
    for n in range(1, lab.samples + 1):
        uuid = uuid_bytes(uuid_text(lab.seed, SAMPLE, n))
        yield n, uuid, f"{study_of(lab, n)}STDY{n}", 1, when, when
    for n in range(1, lab.manifests * 3 + 1):
        own, uuid = lab.samples + n, uuid_bytes(uuid_text(lab.seed, LABWARE, n))
        yield own, uuid, labware_barcode(n), 2, when, when
    for n in range(1, lab.studies + 1):
        own, uuid = lab.samples + lab.manifests * 3 + n, uuid_bytes(uuid_text(lab.seed, STUDY, n))
        yield own, uuid, f"Study {n}", 3, when, when


def events(lab: Lab) -> Iterator[Row]:
    """Make the events: every tenth manifest is created, all are updated, and every third is updated again.

    The second update names another labware.
    """
    for own, (kind, _, share, _) in enumerate(_manifest_events(lab), start=1):
        uuid, when = uuid_bytes(uuid_text(lab.seed, EVENT, own)), lab.at(share)
        yield own, "SQSCP", uuid, kind, when, "ab1", when, when


def roles(lab: Lab) -> Iterator[Row]:
    """Make the roles: the samples, labwares and study of each event."""
    own = 0
    for event, (_, manifest, share, slots) in enumerate(_manifest_events(lab), start=1):
        first, when = (manifest - 1) * MANIFEST_SAMPLES + 1, lab.at(share)
        found = [(ROLE_LABWARE, lab.samples + (manifest - 1) * 3 + slot) for slot in slots]
        found.append((ROLE_STUDY, lab.samples + lab.manifests * 3 + study_of(lab, first)))
        for sample in range(first, min(first + MANIFEST_SAMPLES, lab.samples + 1)):
            if not has_no_manifest(sample):
                found.append((ROLE_SAMPLE, sample))
        for role, subject in found:
            own += 1
            yield own, event, subject, role, when, when


def _manifest_events(lab: Lab) -> Iterator[tuple[int, int, float, tuple[int, ...]]]:
    """Give type, manifest, moment (a share of the lab's days), and which of the manifest's labwares take part."""
    for manifest in range(1, lab.manifests + 1):
        share = 0.8 * manifest / lab.manifests
        if manifest % 10 == 0:
            yield MANIFEST_CREATED, manifest, share, (1,)
        yield MANIFEST_UPDATED, manifest, share, (1, 2) if manifest % 8 == 0 else (1,)
    for manifest in range(3, lab.manifests + 1, 3):
        yield MANIFEST_UPDATED, manifest, 0.8 + 0.1 * manifest / lab.manifests, (3,)


MLWH: dict[str, tuple[str, Maker]] = {
    "sample": (
        "id_sample_tmp id_lims uuid_sample_lims id_sample_lims last_updated recorded_at name supplier_name",
        samples,
    ),
    "study": ("id_study_tmp id_lims id_study_lims last_updated recorded_at name", studies),
    "iseq_flowcell": (
        "id_iseq_flowcell_tmp last_updated recorded_at id_sample_tmp id_study_tmp id_lims id_flowcell_lims position"
        " tag_index entity_type entity_id_lims id_pool_lims",
        flowcells,
    ),
    "iseq_product_metrics": (
        "id_iseq_pr_metrics_tmp id_iseq_product last_changed id_iseq_flowcell_tmp id_run position tag_index qc",
        products,
    ),
    "iseq_run_status_dict": ("id_run_status_dict description iscurrent temporal_index", status_names),
    "iseq_run_status": ("id_run_status id_run date id_run_status_dict iscurrent", statuses),
    "seq_product_irods_locations": (
        "id_seq_product_irods_locations_tmp created last_changed id_product seq_platform_name pipeline_name"
        " irods_root_collection irods_data_relative_path irods_secondary_data_relative_path",
        irods_locations,
    ),
}
EVENTS: dict[str, tuple[str, Maker]] = {
    "event_types": ("id key description", event_types),
    "role_types": ("id key description", role_types),
    "subjects": ("id uuid friendly_name subject_type_id created_at updated_at", subjects),
    "events": ("id lims_id uuid event_type_id occured_at user_identifier created_at updated_at", events),
    "roles": ("id event_id subject_id role_type_id created_at updated_at", roles),
}
