CREATE TABLE `actions` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `at` datetime(6) NOT NULL,
  `actor` varchar(255) NOT NULL,
  `action` varchar(64) NOT NULL,
  `job` varchar(191) DEFAULT NULL,
  `detail` mediumtext DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `actions_of_job` (`job`,`id`),
  KEY `actions_by_age` (`at`),
  KEY `actions_by_kind` (`action`,`job`,`at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `alembic_version` (
  `version_num` varchar(32) NOT NULL,
  PRIMARY KEY (`version_num`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `configs` (
  `digest` binary(16) NOT NULL,
  `content` mediumtext NOT NULL,
  PRIMARY KEY (`digest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `cursors` (
  `name` varchar(191) NOT NULL,
  `position` mediumtext NOT NULL,
  `updated_at` datetime(6) NOT NULL,
  `run_id` bigint(20) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `jobs` (
  `id` varchar(191) NOT NULL,
  `schedule` varchar(255) NOT NULL,
  `enabled` tinyint(1) NOT NULL,
  `enabled_at` datetime(6) NOT NULL,
  `paused_at` datetime(6) DEFAULT NULL,
  `paused_by` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `leases` (
  `name` varchar(191) NOT NULL,
  `holder` varchar(255) DEFAULT NULL,
  `token` bigint(20) NOT NULL,
  `expires_at` datetime(6) NOT NULL,
  PRIMARY KEY (`name`),
  KEY `leases_of_holder` (`holder`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `ledger` (
  `name` varchar(64) NOT NULL,
  `digest` binary(16) NOT NULL,
  `published_at` datetime(6) NOT NULL,
  PRIMARY KEY (`name`,`digest`),
  KEY `ledger_by_age` (`name`,`published_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `ledger_entries` (
  `name` varchar(64) NOT NULL,
  `key` varbinary(32) NOT NULL,
  `digest` binary(16) NOT NULL,
  `published_at` datetime(6) NOT NULL,
  PRIMARY KEY (`name`,`key`),
  KEY `ledger_entries_by_age` (`name`,`published_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `notices` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `rule` varchar(32) NOT NULL,
  `job` varchar(191) NOT NULL,
  `run_id` bigint(20) DEFAULT NULL,
  `text` mediumtext NOT NULL,
  `began_at` datetime(6) NOT NULL,
  `told_at` datetime(6) NOT NULL,
  `ended_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `notices_open` (`ended_at`,`job`),
  KEY `notices_of_job` (`job`,`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `quarantine` (
  `name` varchar(64) NOT NULL,
  `key` varchar(255) NOT NULL,
  `item` varchar(64) NOT NULL,
  `reason` mediumtext NOT NULL,
  `first_at` datetime(6) NOT NULL,
  `last_at` datetime(6) NOT NULL,
  `run_id` bigint(20) NOT NULL,
  `dropped_at` datetime(6) DEFAULT NULL,
  `dropped_by` varchar(255) DEFAULT NULL,
  `note` mediumtext DEFAULT NULL,
  PRIMARY KEY (`name`,`key`,`item`),
  KEY `quarantine_by_item` (`name`,`item`),
  KEY `quarantine_by_age` (`name`,`last_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `refusals` (
  `name` varchar(64) NOT NULL,
  `item` varchar(64) NOT NULL,
  `key` varchar(255) NOT NULL,
  `reason` mediumtext NOT NULL,
  `attempts` int(11) NOT NULL,
  `next_at` datetime(6) NOT NULL,
  PRIMARY KEY (`name`,`item`,`key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `runs` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `job` varchar(191) NOT NULL,
  `origin` varchar(16) NOT NULL,
  `slot_at` datetime(6) DEFAULT NULL,
  `slot_until_at` datetime(6) DEFAULT NULL,
  `slots` int(11) NOT NULL,
  `outcome` varchar(16) DEFAULT NULL,
  `reason` mediumtext DEFAULT NULL,
  `started_at` datetime(6) NOT NULL,
  `ended_at` datetime(6) DEFAULT NULL,
  `seconds` float DEFAULT NULL,
  `attempts` int(11) NOT NULL,
  `dry_run` tinyint(1) NOT NULL,
  `counts` mediumtext DEFAULT NULL,
  `progress` mediumtext DEFAULT NULL,
  `traceback` mediumtext DEFAULT NULL,
  `holder` varchar(255) NOT NULL,
  `stop_asked_by` varchar(255) DEFAULT NULL,
  `config` binary(16) DEFAULT NULL,
  `kept_because` mediumtext DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `one_outcome_per_slot` (`job`,`slot_at`),
  KEY `runs_by_outcome` (`outcome`,`job`),
  KEY `runs_of_job` (`job`,`id`),
  KEY `runs_by_start` (`started_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `attempts` (
  `run_id` bigint(20) NOT NULL,
  `number` int(11) NOT NULL,
  `started_at` datetime(6) NOT NULL,
  `ended_at` datetime(6) NOT NULL,
  `outcome` varchar(16) NOT NULL,
  `reason` mediumtext DEFAULT NULL,
  `traceback` mediumtext DEFAULT NULL,
  PRIMARY KEY (`run_id`,`number`),
  CONSTRAINT `attempts_ibfk_1` FOREIGN KEY (`run_id`) REFERENCES `runs` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `deliveries` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `notice_id` bigint(20) NOT NULL,
  `channel` varchar(64) NOT NULL,
  `kind` varchar(16) NOT NULL,
  `content` mediumtext NOT NULL,
  `added_at` datetime(6) NOT NULL,
  `due_at` datetime(6) NOT NULL,
  `tries` int(11) NOT NULL,
  `outcome` varchar(16) DEFAULT NULL,
  `ended_at` datetime(6) DEFAULT NULL,
  `reason` mediumtext DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `deliveries_due` (`outcome`,`due_at`),
  KEY `deliveries_of_notice` (`notice_id`,`id`),
  KEY `deliveries_of_channel` (`channel`,`outcome`,`id`),
  CONSTRAINT `deliveries_ibfk_1` FOREIGN KEY (`notice_id`) REFERENCES `notices` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `results` (
  `run_id` bigint(20) NOT NULL,
  `content` mediumtext NOT NULL,
  PRIMARY KEY (`run_id`),
  CONSTRAINT `results_ibfk_1` FOREIGN KEY (`run_id`) REFERENCES `runs` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `run_logs` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `run_id` bigint(20) NOT NULL,
  `at` datetime(6) NOT NULL,
  `level` varchar(16) NOT NULL,
  `logger` varchar(255) NOT NULL,
  `message` mediumtext NOT NULL,
  `file` varchar(255) DEFAULT NULL,
  `line` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `logs_of_run` (`run_id`,`id`),
  KEY `logs_by_age` (`level`,`at`),
  CONSTRAINT `run_logs_ibfk_1` FOREIGN KEY (`run_id`) REFERENCES `runs` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `run_uses` (
  `run_id` bigint(20) NOT NULL,
  `dependency` varchar(191) NOT NULL,
  `used_id` bigint(20) NOT NULL,
  PRIMARY KEY (`run_id`,`dependency`),
  KEY `uses_of_run` (`used_id`),
  CONSTRAINT `run_uses_ibfk_1` FOREIGN KEY (`run_id`) REFERENCES `runs` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `identity` (
  `name` varchar(16) NOT NULL,
  `id` varchar(32) NOT NULL,
  `generation` int(11) NOT NULL,
  `beat` bigint(20) NOT NULL,
  `beat_at` datetime(6) NOT NULL,
  `made_at` datetime(6) DEFAULT NULL,
  `restored_at` datetime(6) DEFAULT NULL,
  `lost_since` datetime(6) DEFAULT NULL,
  `lost_until` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE `memories` (
  `job` varchar(191) NOT NULL,
  `name` varchar(191) NOT NULL,
  PRIMARY KEY (`job`,`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO alembic_version VALUES ('0006');
