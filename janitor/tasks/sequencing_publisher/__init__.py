"""sequencing_publisher: each status change of a sequencing run, once for each sample, from MLWH to an exchange."""

from janitor.needs import DatabaseNeed, ExchangeNeed, FeedNeed
from janitor.tasks.sequencing_publisher.publish import follow, reconcile, statuses
from janitor.tasks.sequencing_publisher.settings import SequencingPublisherSettings, switch

__all__ = ["NEEDS", "SequencingPublisherSettings", "follow", "reconcile", "switch"]

NEEDS = (
    DatabaseNeed(
        "MLWH_DATABASE_URL",
        reads={
            "iseq_run_status": ("id_run_status", "id_run", "date", "id_run_status_dict"),
            "iseq_product_metrics": ("id_iseq_product", "id_iseq_flowcell_tmp", "id_run"),
            "iseq_flowcell": ("id_iseq_flowcell_tmp", "id_sample_tmp", "id_study_tmp"),
            "sample": ("id_sample_tmp", "uuid_sample_lims", "supplier_name"),
            "study": ("id_study_tmp", "id_lims", "id_study_lims", "name"),
            "seq_product_irods_locations": (
                "id_product",
                "irods_root_collection",
                "irods_data_relative_path",
                "irods_secondary_data_relative_path",
            ),
        },
    ),
    DatabaseNeed(
        "MLWH_EVENTS_DATABASE_URL",
        reads={
            "subjects": ("id", "uuid", "friendly_name"),
            "roles": ("event_id", "subject_id", "role_type_id"),
            "role_types": ("id", "key"),
            "events": ("id", "event_type_id"),
            "event_types": ("id", "key"),
        },
    ),
    FeedNeed("MLWH_DATABASE_URL", statuses),
    ExchangeNeed("SEQUENCING_PUBLISHER_EXCHANGE", schema=(__name__, "message_schemas/sample_sequence_status.avsc")),
)
