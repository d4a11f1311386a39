-- The latest manifest update of some samples, found from the samples: their roles, and the events of these.
SELECT /*! STRAIGHT_JOIN */ subjects.uuid AS sample_uuid, MAX(events.id) AS event_id
FROM subjects
JOIN roles ON roles.subject_id = subjects.id
JOIN events ON events.id = roles.event_id
WHERE subjects.uuid IN :sample_uuids
  AND roles.role_type_id = (SELECT role_types.id FROM role_types WHERE role_types.key = 'sample')
  AND events.event_type_id = (SELECT event_types.id FROM event_types WHERE event_types.key = 'sample_manifest.updated')
GROUP BY subjects.uuid
