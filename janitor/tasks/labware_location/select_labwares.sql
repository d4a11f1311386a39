-- Where labwares stand by their latest audit, which is found through the index on (auditable_id, auditable_type).
-- A labware stands in its coordinate's location (ordered) where that has a barcode, else in its own (unordered).
SELECT
  labwares.id AS labware_id,
  latest.id AS audit_id,
  NULLIF(labwares.barcode, '') AS labware_barcode,
  NULLIF(CASE WHEN LENGTH(TRIM(ordered.barcode)) > 0 THEN ordered.barcode ELSE unordered.barcode END, '') AS location_barcode,
  CASE WHEN LENGTH(TRIM(ordered.barcode)) > 0 THEN ordered.parentage ELSE unordered.parentage END AS full_location_address,
  CASE WHEN LENGTH(TRIM(ordered.barcode)) > 0 THEN ordered.name ELSE unordered.name END AS location_name,
  coordinates.position AS coordinate_position,
  coordinates.row AS coordinate_row,
  coordinates.column AS coordinate_column,
  NULLIF(users.login, '') AS stored_by,
  latest.updated_at AS stored_at
FROM (
  SELECT audits.auditable_id AS labware_id, MAX(audits.id) AS audit_id
  FROM audits
  WHERE audits.auditable_type = 'Labware' AND {which}
  GROUP BY audits.auditable_id
) AS newest
JOIN labwares ON labwares.id = newest.labware_id
JOIN audits AS latest ON latest.id = newest.audit_id
LEFT JOIN users ON users.id = latest.user_id
LEFT JOIN coordinates ON coordinates.id = labwares.coordinate_id
LEFT JOIN locations AS ordered ON ordered.id = coordinates.location_id
LEFT JOIN locations AS unordered ON unordered.id = labwares.location_id
