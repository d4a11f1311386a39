"""What ought to be there by now. Each warehouse is read whole, every time: the plainest way.

Nothing here uses the tasks. So the demo compares two independent answers.
"""

from collections import defaultdict
from datetime import date, datetime, timezone
from typing import Any

from sqlalchemy import URL, text

from janitor import databases

Message = tuple[Any, ...]
"""change_date, id_run, study, supplier's name, labware, status, iRODS root, path, secondary path."""


def locations(labwhere: URL) -> dict[str, tuple[Any, ...]]:
    """Return barcode -> location's barcode, address, name, position, row, column, user, moment.

    Labware without a location with a barcode, or last scanned by a user without a login, is left out.
    """
    query = """SELECT labwares.barcode, COALESCE(box.barcode, place.barcode) AS location,
            CASE WHEN box.barcode IS NULL THEN place.parentage ELSE box.parentage END AS address,
            CASE WHEN box.barcode IS NULL THEN place.name ELSE box.name END AS name,
            coordinates.position, coordinates.`row`, coordinates.`column`, users.login, audits.updated_at
        FROM labwares
        JOIN (SELECT auditable_id, MAX(id) AS id FROM audits WHERE auditable_type = 'Labware' GROUP BY auditable_id)
            AS latest ON latest.auditable_id = labwares.id
        JOIN audits ON audits.id = latest.id
        LEFT JOIN users ON users.id = audits.user_id
        LEFT JOIN coordinates ON coordinates.id = labwares.coordinate_id
        LEFT JOIN locations AS box ON box.id = coordinates.location_id
        LEFT JOIN locations AS place ON place.id = labwares.location_id"""
    found = (row for row in _rows(labwhere, query) if row[1] and row[7])
    return {row[0]: (*row[1:8], _second(row[8])) for row in found}


def table(mlwh: URL) -> dict[str, tuple[Any, ...]]:
    """Return the table's rows in the form of `locations`."""
    query = """SELECT labware_barcode, location_barcode, full_location_address, location_name, coordinate_position,
        coordinate_row, coordinate_column, stored_by, stored_at FROM labware_location"""
    return {row[0]: (*row[1:8], _second(row[8])) for row in _rows(mlwh, query)}


def messages(mlwh: URL, events: URL, since: date) -> set[Message]:
    """Return the messages of every status set on or after a day. They show the runs' parts as they are now."""
    query = """SELECT id_run_status, date, iseq_run_status.id_run, study.name AS study, supplier_name,
            uuid_sample_lims, id_run_status_dict, irods_root_collection, irods_data_relative_path,
            irods_secondary_data_relative_path, sample.id_sample_tmp, study.id_study_tmp
        FROM iseq_run_status JOIN iseq_product_metrics ON iseq_product_metrics.id_run = iseq_run_status.id_run
        JOIN iseq_flowcell ON iseq_flowcell.id_iseq_flowcell_tmp = iseq_product_metrics.id_iseq_flowcell_tmp
        JOIN sample ON sample.id_sample_tmp = iseq_flowcell.id_sample_tmp
        JOIN study ON study.id_study_tmp = iseq_flowcell.id_study_tmp
        LEFT JOIN seq_product_irods_locations ON id_product = id_iseq_product"""
    held = _labwares_of_samples(events)
    groups = defaultdict(list)
    for row in _rows(mlwh, query):
        if row.supplier_name and row.study and _second(row.date)[:10] >= since.isoformat():
            key = (row.id_run_status, row.id_sample_tmp, row.id_study_tmp, row.irods_root_collection)
            groups[key].append(row)
    found = set()
    for rows in groups.values():
        row, paths = rows[0], (_joined(r[8] for r in rows), _joined(r[9] for r in rows))
        moment = datetime.fromisoformat(_second(row.date)).replace(tzinfo=timezone.utc)
        for labware in held[row.uuid_sample_lims.replace("-", "").lower()]:
            known = (row.study, row.supplier_name, labware, row.id_run_status_dict, row.irods_root_collection)
            found.add((moment, row.id_run, *known, *paths))
    return found


def _labwares_of_samples(events: URL) -> dict[str, list[str]]:
    """Return hex of a sample's uuid -> the labwares in its latest manifest update."""
    query = """SELECT roles.event_id, LOWER(HEX(subjects.uuid)) AS uuid, friendly_name, role_types.`key` AS role
        FROM roles JOIN role_types ON role_types.id = role_type_id JOIN subjects ON subjects.id = subject_id
        JOIN events ON events.id = roles.event_id JOIN event_types ON event_types.id = event_type_id
        WHERE event_types.`key` = 'sample_manifest.updated'"""
    labwares: dict[int, set[str]] = defaultdict(set)
    latest: dict[str, int] = defaultdict(int)
    for row in _rows(events, query):
        if row.role == "labware":
            labwares[row.event_id].add(row.friendly_name)
        elif row.role == "sample":
            latest[row.uuid] = max(latest[row.uuid], row.event_id)
    return defaultdict(list, {uuid: sorted(labwares[event]) for uuid, event in latest.items()})


def _joined(paths: Any) -> str | None:
    return ";".join(sorted(path for path in paths if path)) or None


def _second(moment: Any) -> str:
    """Write a date to the second; a database gives it as a text or as a datetime."""
    return str(moment)[:19]


def _rows(url: URL, query: str) -> Any:
    with databases.read(url) as connection:
        return connection.execute(text(query)).all()
