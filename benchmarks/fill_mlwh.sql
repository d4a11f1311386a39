INSERT INTO sample (id_sample_tmp, id_lims, uuid_sample_lims, id_sample_lims, last_updated, recorded_at, name, supplier_name)
SELECT seq, 'SQSCP',
  INSERT(INSERT(INSERT(INSERT(MD5(CONCAT('sample', seq)), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'),
  seq, '$begin', '$begin', CONCAT((seq - 1) DIV 48 % $studies + 5001, 'STDY', seq), CONCAT('supplier sample ', seq)
FROM seq_1_to_$samples;

INSERT INTO study (id_study_tmp, id_lims, id_study_lims, last_updated, recorded_at, name)
SELECT seq, 'SQSCP', 5000 + seq, '$begin', '$begin', CONCAT('Study ', seq, ' of cell line ', seq * 37 % 101) FROM seq_1_to_$studies;

INSERT INTO iseq_flowcell (id_iseq_flowcell_tmp, last_updated, recorded_at, id_sample_tmp, id_study_tmp, id_lims, id_flowcell_lims,
  position, tag_index, entity_type, entity_id_lims, id_pool_lims)
SELECT seq, '$begin' + INTERVAL (seq - 1) DIV 96 * $run_seconds SECOND, '$begin' + INTERVAL (seq - 1) DIV 96 * $run_seconds SECOND,
  (seq - 1) DIV 96 * 72 + (seq - 1) % 96 + 1,
  ((seq - 1) DIV 96 * 72 + (seq - 1) % 96) DIV 48 % $studies + 1,
  'SQSCP', 80000 + (seq - 1) DIV 96, 1, (seq - 1) % 96 + 1, 'library_indexed', seq, CONCAT('NT', (seq - 1) DIV 96, 'P')
FROM seq_1_to_$labwares;

INSERT INTO iseq_product_metrics (id_iseq_pr_metrics_tmp, id_iseq_product, last_changed, id_iseq_flowcell_tmp, id_run, position, tag_index, qc)
SELECT seq,
  SHA2(CONCAT('{"id_run":', $first_run + (seq - 1) DIV 96, ',"position":1,"tag_index":', (seq - 1) % 96 + 1, '}'), 256),
  '$begin' + INTERVAL (seq - 1) DIV 96 * $run_seconds + 100000 SECOND, seq, $first_run + (seq - 1) DIV 96, 1, (seq - 1) % 96 + 1, seq % 50 > 0
FROM seq_1_to_$labwares;

INSERT INTO seq_product_irods_locations (id_seq_product_irods_locations_tmp, created, last_changed, id_product, seq_platform_name,
  pipeline_name, irods_root_collection, irods_data_relative_path, irods_secondary_data_relative_path)
SELECT seq, '$begin' + INTERVAL (seq - 1) DIV 96 * $run_seconds + 200000 SECOND,
  '$begin' + INTERVAL (seq - 1) DIV 96 * $run_seconds + 200000 SECOND,
  SHA2(CONCAT('{"id_run":', $first_run + (seq - 1) DIV 96, ',"position":1,"tag_index":', (seq - 1) % 96 + 1, '}'), 256),
  'Illumina', 'npg-prod', CONCAT('/seq/illumina/runs/', ($first_run + (seq - 1) DIV 96) DIV 1000, '/', $first_run + (seq - 1) DIV 96),
  CONCAT('lane1/plex', (seq - 1) % 96 + 1, '/', $first_run + (seq - 1) DIV 96, '_1#', (seq - 1) % 96 + 1, '.cram'),
  IF(seq % 3 = 0, CONCAT('lane1/plex', (seq - 1) % 96 + 1, '/', $first_run + (seq - 1) DIV 96, '_1#', (seq - 1) % 96 + 1, '.cram.crai'), NULL)
FROM seq_1_to_$labwares;

INSERT INTO iseq_run_status_dict (id_run_status_dict, description, iscurrent, temporal_index)
VALUES (1, 'run pending', 1, 10), (2, 'run in progress', 1, 20), (3, 'run on hold', 1, 30), (4, 'run complete', 1, 40),
  (5, 'run mirrored', 1, 50), (6, 'analysis pending', 1, 60), (7, 'analysis in progress', 1, 70),
  (8, 'secondary analysis in progress', 1, 80), (9, 'analysis complete', 1, 90), (10, 'qc review pending', 1, 100),
  (11, 'qc in progress', 1, 110), (12, 'archival in progress', 1, 120), (13, 'qc complete', 1, 130);

INSERT INTO iseq_run_status (id_run_status, id_run, date, id_run_status_dict, iscurrent)
SELECT ROW_NUMBER() OVER (ORDER BY run.seq * $run_seconds + status.seq * 20000, run.seq), $first_run + run.seq - 1,
  '$begin' + INTERVAL (run.seq - 1) * $run_seconds + status.seq * 20000 SECOND, status.seq, status.seq = 13
FROM seq_1_to_$runs AS run
JOIN seq_1_to_13 AS status;
