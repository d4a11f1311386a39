-- What is written first: one query over all the tables for whatever is newer than a timestamp, wherever it came in late.
SELECT
  statuses.date AS change_date,
  statuses.id_run,
  study.name AS sequencing_study,
  sample.supplier_name AS sample_supplier_id,
  labwares.friendly_name AS labware_barcode,
  statuses.id_run_status_dict AS run_status,
  places.irods_root_collection,
  places.irods_data_relative_path,
  places.irods_secondary_data_relative_path
FROM $mlwh.iseq_run_status AS statuses
JOIN $mlwh.iseq_product_metrics AS products ON products.id_run = statuses.id_run
JOIN $mlwh.iseq_flowcell AS flowcell ON flowcell.id_iseq_flowcell_tmp = products.id_iseq_flowcell_tmp
JOIN $mlwh.sample AS sample ON sample.id_sample_tmp = flowcell.id_sample_tmp
JOIN $mlwh.study AS study ON study.id_study_tmp = flowcell.id_study_tmp
LEFT JOIN $mlwh.seq_product_irods_locations AS places ON places.id_product = products.id_iseq_product
JOIN $events.subjects AS samples ON samples.uuid = UNHEX(REPLACE(sample.uuid_sample_lims, '-', ''))
JOIN $events.roles AS sample_roles ON sample_roles.subject_id = samples.id AND sample_roles.role_type_id = 1
JOIN $events.events AS updates ON updates.id = sample_roles.event_id AND updates.event_type_id = 3
JOIN $events.roles AS labware_roles ON labware_roles.event_id = updates.id AND labware_roles.role_type_id = 2
JOIN $events.subjects AS labwares ON labwares.id = labware_roles.subject_id
WHERE $newer
