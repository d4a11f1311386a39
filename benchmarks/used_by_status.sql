-- Of one run: its samples' subjects, the roles that these have as samples, and their latest manifest updates.
SELECT COUNT(DISTINCT subjects.id), COUNT(*), COUNT(DISTINCT latest.id)
FROM (
  SELECT DISTINCT UNHEX(REPLACE(sample.uuid_sample_lims, '-', '')) AS uuid
  FROM $mlwh.iseq_product_metrics AS products
  JOIN $mlwh.iseq_flowcell AS flowcell ON flowcell.id_iseq_flowcell_tmp = products.id_iseq_flowcell_tmp
  JOIN $mlwh.sample AS sample ON sample.id_sample_tmp = flowcell.id_sample_tmp
  WHERE products.id_run = :run
) AS samples
JOIN $events.subjects AS subjects ON subjects.uuid = samples.uuid
JOIN $events.roles AS roles ON roles.subject_id = subjects.id AND roles.role_type_id = 1
LEFT JOIN $events.events AS latest ON latest.id = roles.event_id AND latest.id = (
  SELECT MAX(events.id)
  FROM $events.roles AS every
  JOIN $events.events AS events ON events.id = every.event_id
  WHERE every.subject_id = subjects.id AND events.event_type_id = 3
)
