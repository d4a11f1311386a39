-- MLWH Events: an event has roles, and a role ties it to a subject: a sample, a labware, a study.
-- A uuid is the 16 bytes of the text that sample.uuid_sample_lims holds.

CREATE TABLE event_types (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `key` varchar(255) NOT NULL,
  description text NOT NULL,
  UNIQUE KEY (`key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE events (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  lims_id varchar(255) NOT NULL,
  uuid binary(16) NOT NULL,
  event_type_id int NOT NULL,
  occured_at datetime NOT NULL,
  user_identifier varchar(255) NOT NULL,
  created_at datetime,
  updated_at datetime,
  KEY (event_type_id),
  UNIQUE KEY (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE role_types (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `key` varchar(255) NOT NULL,
  description text NOT NULL,
  UNIQUE KEY (`key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE roles (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event_id int NOT NULL,
  subject_id int NOT NULL,
  role_type_id int NOT NULL,
  created_at datetime,
  updated_at datetime,
  KEY index_roles_on_event_id (event_id),
  KEY fk_role_type (role_type_id),
  KEY index_roles_on_subject_id (subject_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE subjects (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  uuid binary(16) NOT NULL,
  friendly_name varchar(255) NOT NULL,
  subject_type_id int NOT NULL,
  created_at datetime,
  updated_at datetime,
  KEY (friendly_name),
  KEY (subject_type_id),
  UNIQUE KEY index_subjects_on_uuid (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;
