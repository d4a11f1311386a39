-- The rows of the target, of all labwares at once: what the server alone needs to read them.
SELECT
  labwares.barcode,
  CASE WHEN ordered.barcode > '' THEN ordered.barcode ELSE unordered.barcode END AS location_barcode,
  CASE WHEN ordered.barcode > '' THEN ordered.parentage ELSE unordered.parentage END AS full_location_address,
  CASE WHEN ordered.barcode > '' THEN ordered.name ELSE unordered.name END AS location_name,
  coordinates.position,
  coordinates.row,
  coordinates.column,
  users.login,
  latest.updated_at
FROM $labwhere.labwares
LEFT JOIN $labwhere.audits AS latest ON latest.id = (
  SELECT MAX(audits.id) FROM $labwhere.audits
  WHERE audits.auditable_id = labwares.id AND audits.auditable_type = 'Labware'
)
LEFT JOIN $labwhere.users ON users.id = latest.user_id
LEFT JOIN $labwhere.coordinates ON coordinates.id = labwares.coordinate_id
LEFT JOIN $labwhere.locations AS ordered ON ordered.id = coordinates.location_id
LEFT JOIN $labwhere.locations AS unordered ON unordered.id = labwares.location_id
