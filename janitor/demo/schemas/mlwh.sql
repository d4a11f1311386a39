-- MLWH, the warehouse: labware_location writes its own table here, sequencing_publisher reads the others.
-- iseq_run_status has no index on date or id_run; its id keeps the value it had where it was copied from.
-- Ids ending in _tmp may change; a product's flowcell row and its iRODS rows arrive after its first statuses.

CREATE TABLE labware_location (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  labware_barcode varchar(255) NOT NULL,
  location_barcode varchar(255) NOT NULL,
  full_location_address varchar(255) NOT NULL,
  coordinate_position int,
  coordinate_row int,
  coordinate_column int,
  lims_id varchar(255) NOT NULL,
  stored_by varchar(255) NOT NULL,
  stored_at datetime(6) NOT NULL,
  created_at datetime(6) NOT NULL,
  updated_at datetime(6) NOT NULL,
  location_name varchar(255) NOT NULL,
  UNIQUE KEY index_labware_location_on_labware_barcode (labware_barcode),
  KEY index_labware_location_on_location_barcode (location_barcode)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE sample (
  id_sample_tmp int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id_lims varchar(10) NOT NULL,
  uuid_sample_lims varchar(36) NOT NULL,
  id_sample_lims varchar(255) NOT NULL,
  last_updated datetime NOT NULL,
  recorded_at datetime NOT NULL,
  name varchar(255),
  supplier_name varchar(255),
  UNIQUE KEY (uuid_sample_lims),
  UNIQUE KEY (id_lims,id_sample_lims),
  KEY (supplier_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE study (
  id_study_tmp int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id_lims varchar(10) NOT NULL,
  id_study_lims varchar(20) NOT NULL,
  last_updated datetime NOT NULL,
  recorded_at datetime NOT NULL,
  name varchar(255),
  KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE iseq_flowcell (
  id_iseq_flowcell_tmp int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  last_updated datetime NOT NULL,
  recorded_at datetime NOT NULL,
  id_sample_tmp int unsigned NOT NULL,
  id_study_tmp int unsigned,
  id_lims varchar(10) NOT NULL,
  id_flowcell_lims varchar(20) NOT NULL,
  position smallint unsigned NOT NULL,
  tag_index smallint unsigned,
  entity_type varchar(30) NOT NULL,
  entity_id_lims varchar(20) NOT NULL,
  id_pool_lims varchar(20) NOT NULL,
  KEY iseq_flowcell_sample_fk (id_sample_tmp),
  KEY iseq_flowcell_study_fk (id_study_tmp),
  KEY (id_flowcell_lims,position,tag_index)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE iseq_product_metrics (
  id_iseq_pr_metrics_tmp int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id_iseq_product char(64) NOT NULL,
  last_changed datetime DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  id_iseq_flowcell_tmp int unsigned,
  id_run int unsigned,
  position smallint unsigned,
  tag_index smallint unsigned,
  qc tinyint,
  UNIQUE KEY iseq_pr_metrics_product_unique (id_iseq_product),
  KEY iseq_pm_run_index (id_run),
  KEY iseq_pr_metrics_flc_fk (id_iseq_flowcell_tmp)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE iseq_run_status_dict (
  id_run_status_dict int unsigned NOT NULL PRIMARY KEY,
  description varchar(64) NOT NULL,
  iscurrent tinyint unsigned NOT NULL,
  temporal_index smallint unsigned
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE iseq_run_status (
  id_run_status int unsigned NOT NULL PRIMARY KEY,
  id_run int unsigned NOT NULL,
  date datetime NOT NULL,
  id_run_status_dict int unsigned NOT NULL,
  iscurrent tinyint(1) NOT NULL,
  KEY iseq_run_status_rsd_fk (id_run_status_dict)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE seq_product_irods_locations (
  id_seq_product_irods_locations_tmp bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  created datetime DEFAULT CURRENT_TIMESTAMP,
  last_changed datetime DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  id_product varchar(64) NOT NULL,
  seq_platform_name enum('Illumina','PacBio','ONT') NOT NULL,
  pipeline_name varchar(32) NOT NULL,
  irods_root_collection varchar(255) NOT NULL,
  irods_data_relative_path varchar(255),
  irods_secondary_data_relative_path varchar(255),
  KEY pi_id_product (id_product),
  UNIQUE KEY pi_root_product (irods_root_collection, id_product)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;
