INSERT INTO event_types (id, `key`, description)
VALUES (1, 'order_made', 'an order was made'), (2, 'sample_manifest.created', 'a manifest was made'),
  (3, 'sample_manifest.updated', 'a manifest was filled in');

INSERT INTO role_types (id, `key`, description)
VALUES (1, 'sample', 'a sample'), (2, 'labware', 'a labware'), (3, 'study', 'a study');

INSERT INTO subjects (id, uuid, friendly_name, subject_type_id, created_at, updated_at)
SELECT seq, UNHEX(MD5(CONCAT('sample', seq))), CONCAT((seq - 1) DIV 48 % $studies + 5001, 'STDY', seq), 1, '$begin', '$begin'
FROM seq_1_to_$samples;

INSERT INTO subjects (id, uuid, friendly_name, subject_type_id, created_at, updated_at)
SELECT $samples + seq, UNHEX(MD5(CONCAT('plate', seq))), CONCAT('SQPD-', seq), 2, '$begin', '$begin' FROM seq_1_to_$manifests;

INSERT INTO subjects (id, uuid, friendly_name, subject_type_id, created_at, updated_at)
SELECT $samples + $manifests + seq, UNHEX(MD5(CONCAT('study', seq))), CONCAT('Study ', seq), 3, '$begin', '$begin' FROM seq_1_to_$studies;

INSERT INTO events (id, lims_id, uuid, event_type_id, occured_at, user_identifier, created_at, updated_at)
SELECT seq, 'SQSCP', UNHEX(MD5(CONCAT('event', seq))), IF(seq <= $manifests, 3, IF(seq <= 2 * $manifests, 1, 3)),
  '$begin', 'ab1@example.com', '$begin', '$begin'
FROM seq_1_to_${events};

INSERT INTO roles (event_id, subject_id, role_type_id, created_at, updated_at)
SELECT event.id, (event.manifest - 1) * 48 + sample.seq, 1, '$begin', '$begin'
FROM (
  SELECT seq AS id, CASE WHEN seq <= $manifests THEN seq WHEN seq <= 2 * $manifests THEN seq - $manifests
    ELSE (seq - 2 * $manifests) * 3 END AS manifest
  FROM seq_1_to_${events}
) AS event
JOIN seq_1_to_48 AS sample
WHERE (event.manifest - 1) * 48 + sample.seq <= $samples
ORDER BY event.id, sample.seq;

INSERT INTO roles (event_id, subject_id, role_type_id, created_at, updated_at)
SELECT event.id, $samples + event.manifest, 2, '$begin', '$begin'
FROM (
  SELECT seq AS id, CASE WHEN seq <= $manifests THEN seq WHEN seq <= 2 * $manifests THEN seq - $manifests
    ELSE (seq - 2 * $manifests) * 3 END AS manifest
  FROM seq_1_to_${events}
) AS event;

INSERT INTO roles (event_id, subject_id, role_type_id, created_at, updated_at)
SELECT seq, $samples + $manifests + (seq - 1) % $studies + 1, 3, '$begin', '$begin' FROM seq_1_to_$manifests;
