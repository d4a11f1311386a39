-- LabWhere: what stands where in a laboratory, and who put it there. labware_location reads these tables.
-- audits has no index on updated_at; its id is the cheap way in. A labware stands in a location or at a coordinate of one.

CREATE TABLE users (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  login varchar(255),
  swipe_card_id varchar(255),
  barcode varchar(255),
  type varchar(255),
  status int DEFAULT 0,
  deactivated_at datetime,
  team_id int,
  created_at datetime NOT NULL,
  updated_at datetime NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=latin1;

CREATE TABLE locations (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name varchar(255),
  barcode varchar(255),
  parentage varchar(255),
  type varchar(255),
  internal_parent_id int,
  container tinyint(1) DEFAULT 1,
  status int DEFAULT 0,
  `rows` int DEFAULT 0,
  `columns` int DEFAULT 0,
  deactivated_at datetime,
  location_type_id int,
  created_at datetime NOT NULL,
  updated_at datetime NOT NULL,
  team_id int,
  ancestry varchar(255),
  children_count int NOT NULL DEFAULT 0,
  uuid varchar(36) NOT NULL,
  protected tinyint(1) DEFAULT 0,
  KEY index_locations_on_ancestry (ancestry),
  UNIQUE KEY index_locations_on_barcode (barcode)
) ENGINE=InnoDB DEFAULT CHARSET=latin1;

CREATE TABLE coordinates (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  position int,
  `row` int,
  `column` int,
  location_id int,
  created_at datetime NOT NULL,
  updated_at datetime NOT NULL,
  KEY index_coordinates_on_location_id (location_id)
) ENGINE=InnoDB DEFAULT CHARSET=latin1;

CREATE TABLE labwares (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  barcode varchar(255),
  deleted_at datetime,
  location_id int,
  created_at datetime NOT NULL,
  updated_at datetime NOT NULL,
  coordinate_id int,
  uuid varchar(36) NOT NULL,
  UNIQUE KEY index_labwares_on_barcode (barcode),
  KEY index_labwares_on_coordinate_id (coordinate_id),
  KEY index_labwares_on_location_id (location_id)
) ENGINE=InnoDB DEFAULT CHARSET=latin1;

CREATE TABLE audits (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  auditable_type varchar(255),
  auditable_id int,
  action varchar(255),
  record_data text,
  user_id int,
  created_at datetime NOT NULL,
  updated_at datetime NOT NULL,
  uuid varchar(36) NOT NULL,
  message text,
  KEY index_audits_on_auditable_id_and_auditable_type (auditable_id, auditable_type),
  KEY index_audits_on_auditable_type (auditable_type),
  KEY index_audits_on_user_id (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=latin1;
