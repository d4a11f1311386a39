-- The labwares of some events.
SELECT /*! STRAIGHT_JOIN */ DISTINCT roles.event_id, subjects.uuid AS labware_uuid, subjects.friendly_name AS labware_barcode
FROM roles
JOIN subjects ON subjects.id = roles.subject_id
WHERE roles.event_id IN :event_ids
  AND roles.role_type_id = (SELECT role_types.id FROM role_types WHERE role_types.key = 'labware')
ORDER BY roles.event_id, subjects.friendly_name, subjects.uuid
