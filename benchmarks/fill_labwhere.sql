INSERT INTO users (id, login, type, created_at, updated_at)
SELECT seq, CONCAT('ab', seq), 'Technician', '$begin', '$begin' FROM seq_1_to_40;

INSERT INTO locations (id, name, barcode, parentage, type, uuid, created_at, updated_at)
VALUES (1, 'UNKNOWN', 'lw-unknown-1', '', 'UnknownLocation', UUID(), '$begin', '$begin');

INSERT INTO locations (id, name, barcode, parentage, type, ancestry, uuid, created_at, updated_at)
SELECT 2 + seq, CONCAT('Building ', seq + 1), CONCAT('lw-building-', 2 + seq), '', 'UnorderedLocation', NULL, UUID(), '$begin', '$begin'
FROM seq_0_to_1;

INSERT INTO locations (id, name, barcode, parentage, type, ancestry, uuid, created_at, updated_at)
SELECT 4 + seq, CONCAT('Room ', seq + 1), CONCAT('lw-room-', 4 + seq), CONCAT('Building ', seq DIV 3 + 1), 'UnorderedLocation',
  2 + seq DIV 3, UUID(), '$begin', '$begin'
FROM seq_0_to_5;

INSERT INTO locations (id, name, barcode, parentage, type, ancestry, uuid, created_at, updated_at)
SELECT 10 + seq, CONCAT('Freezer ', seq + 1), CONCAT('lw-freezer-', 10 + seq),
  CONCAT('Building ', seq DIV 15 + 1, ' / Room ', seq DIV 5 + 1), 'UnorderedLocation',
  CONCAT(2 + seq DIV 15, '/', 4 + seq DIV 5), UUID(), '$begin', '$begin'
FROM seq_0_to_29;

INSERT INTO locations (id, name, barcode, parentage, type, ancestry, uuid, created_at, updated_at)
SELECT $first_shelf + seq, CONCAT('Shelf ', seq + 1), CONCAT('lw-shelf-', $first_shelf + seq),
  CONCAT('Building ', seq DIV 75 + 1, ' / Room ', seq DIV 25 + 1, ' / Freezer ', seq DIV 5 + 1), 'UnorderedLocation',
  CONCAT(2 + seq DIV 75, '/', 4 + seq DIV 25, '/', 10 + seq DIV 5), UUID(), '$begin', '$begin'
FROM seq_0_to_149;

INSERT INTO locations (id, name, barcode, parentage, type, ancestry, `rows`, `columns`, uuid, created_at, updated_at)
SELECT $first_shelf + 149 + seq, CONCAT('Box ', seq), CONCAT('lw-box-', $first_shelf + 149 + seq),
  CONCAT(shelf.parentage, ' / ', shelf.name), 'OrderedLocation', CONCAT(shelf.ancestry, '/', shelf.id), 8, 12, UUID(), '$begin', '$begin'
FROM seq_1_to_$boxes
JOIN locations AS shelf ON shelf.id = $first_shelf + seq % 150;

INSERT INTO coordinates (id, position, `row`, `column`, location_id, created_at, updated_at)
SELECT box.seq * 96 + place.seq - 95, place.seq + 1, place.seq DIV 12 + 1, place.seq % 12 + 1, $first_shelf + 149 + box.seq, '$begin', '$begin'
FROM seq_1_to_$boxes AS box
JOIN seq_0_to_95 AS place
ORDER BY 1;

INSERT INTO labwares (id, barcode, location_id, coordinate_id, uuid, created_at, updated_at)
SELECT seq, CONCAT('DN', LPAD(seq, 7, '0'), SUBSTR('ABCDEFGHJKLMNPRSTUVW', seq % 20 + 1, 1)),
  CASE WHEN seq % 20 = 3 THEN 1 WHEN seq % 5 < 2 THEN NULL ELSE $first_shelf + seq * 7919 % 150 END,
  CASE WHEN seq % 5 < 2 THEN (seq DIV 5 * 2 + seq % 5) DIV 80 * 96 + (seq DIV 5 * 2 + seq % 5) % 80 + 1 END,
  INSERT(INSERT(INSERT(INSERT(MD5(seq), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'),
  '$begin' + INTERVAL seq * $span DIV $labwares DIV 3 SECOND, '$begin' + INTERVAL seq * $span DIV $labwares DIV 3 SECOND
FROM seq_1_to_$labwares;

INSERT INTO audits (id, auditable_type, auditable_id, action, record_data, user_id, uuid, message, created_at, updated_at)
SELECT scan.id, 'Labware', scan.labware_id, scan.action,
  CONCAT('{"barcode":"DN', LPAD(scan.labware_id, 7, '0'), SUBSTR('ABCDEFGHJKLMNPRSTUVW', scan.labware_id % 20 + 1, 1), '"}'),
  scan.id * 7919 % 40 + 1,
  INSERT(INSERT(INSERT(INSERT(MD5(-scan.id), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'),
  CONCAT(scan.action, ' by ab', scan.id * 7919 % 40 + 1),
  '$begin' + INTERVAL scan.id * $span DIV ($labwares * 3) SECOND, '$begin' + INTERVAL scan.id * $span DIV ($labwares * 3) SECOND
FROM (
  SELECT seq AS id,
    CASE WHEN seq <= 2 * $labwares THEN (seq - 1) % $labwares + 1 ELSE (seq - 1) * $stride % $labwares + 1 END AS labware_id,
    IF(seq <= $labwares, 'create', 'scanned') AS action
  FROM seq_1_to_${audits}
) AS scan;
