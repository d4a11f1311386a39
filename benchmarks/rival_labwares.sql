-- What is written first: all audits newer than a timestamp, with where their labwares stand.
SELECT
  labwares.barcode AS labware_barcode,
  COALESCE(ordered.barcode, unordered.barcode) AS location_barcode,
  COALESCE(ordered.parentage, unordered.parentage) AS full_location_address,
  COALESCE(ordered.name, unordered.name) AS location_name,
  coordinates.position AS coordinate_position,
  coordinates.row AS coordinate_row,
  coordinates.column AS coordinate_column,
  users.login AS stored_by,
  audits.updated_at AS stored_at
FROM audits
JOIN labwares ON labwares.id = audits.auditable_id
LEFT JOIN users ON users.id = audits.user_id
LEFT JOIN coordinates ON coordinates.id = labwares.coordinate_id
LEFT JOIN locations AS ordered ON ordered.id = coordinates.location_id
LEFT JOIN locations AS unordered ON unordered.id = labwares.location_id
WHERE audits.auditable_type = 'Labware'
  AND audits.updated_at > %s
ORDER BY audits.updated_at, audits.id
