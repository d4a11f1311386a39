CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));

CREATE TABLE actions (
	id INTEGER NOT NULL,
	at DATETIME NOT NULL,
	actor VARCHAR(255) NOT NULL,
	action VARCHAR(64) NOT NULL,
	job VARCHAR(191),
	detail TEXT,
	PRIMARY KEY (id)
);

CREATE INDEX actions_of_job ON actions (job, id);

CREATE TABLE cursors (
	name VARCHAR(191) NOT NULL,
	position TEXT NOT NULL,
	updated_at DATETIME NOT NULL,
	run_id INTEGER NOT NULL,
	PRIMARY KEY (name)
);

CREATE TABLE jobs (
	id VARCHAR(191) NOT NULL,
	schedule VARCHAR(255) NOT NULL,
	enabled BOOLEAN NOT NULL,
	enabled_at DATETIME NOT NULL,
	paused_at DATETIME,
	paused_by VARCHAR(255),
	PRIMARY KEY (id)
);

CREATE TABLE leases (
	name VARCHAR(191) NOT NULL,
	holder VARCHAR(255),
	token BIGINT NOT NULL,
	expires_at DATETIME NOT NULL,
	PRIMARY KEY (name)
);

CREATE INDEX leases_of_holder ON leases (holder);

CREATE TABLE ledger (
	name VARCHAR(64) NOT NULL,
	digest BLOB NOT NULL,
	published_at DATETIME NOT NULL,
	PRIMARY KEY (name, digest)
)
 WITHOUT ROWID;

CREATE INDEX ledger_by_age ON ledger (name, published_at);

CREATE TABLE quarantine (
	name VARCHAR(64) NOT NULL,
	"key" VARCHAR(255) NOT NULL,
	item VARCHAR(64) NOT NULL,
	reason TEXT NOT NULL,
	first_at DATETIME NOT NULL,
	last_at DATETIME NOT NULL,
	run_id INTEGER NOT NULL, dropped_at DATETIME, dropped_by VARCHAR(255), note TEXT,
	PRIMARY KEY (name, "key", item)
);

CREATE INDEX quarantine_by_item ON quarantine (name, item);

CREATE INDEX quarantine_by_age ON quarantine (name, last_at);

CREATE TABLE runs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	job VARCHAR(191) NOT NULL,
	origin VARCHAR(16) NOT NULL,
	slot_at DATETIME,
	slot_until_at DATETIME,
	slots INTEGER NOT NULL,
	outcome VARCHAR(16),
	reason TEXT,
	started_at DATETIME NOT NULL,
	ended_at DATETIME,
	seconds FLOAT,
	attempts INTEGER NOT NULL,
	dry_run BOOLEAN NOT NULL,
	counts TEXT,
	progress TEXT,
	traceback TEXT,
	holder VARCHAR(255) NOT NULL, stop_asked_by VARCHAR(255), config BLOB, kept_because TEXT,
	CONSTRAINT one_outcome_per_slot UNIQUE (job, slot_at)
);

CREATE INDEX runs_by_outcome ON runs (outcome, job);

CREATE INDEX runs_of_job ON runs (job, id);

CREATE TABLE attempts (
	run_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	started_at DATETIME NOT NULL,
	ended_at DATETIME NOT NULL,
	outcome VARCHAR(16) NOT NULL,
	reason TEXT,
	traceback TEXT,
	PRIMARY KEY (run_id, number),
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE TABLE run_logs (
	id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	at DATETIME NOT NULL,
	level VARCHAR(16) NOT NULL,
	logger VARCHAR(255) NOT NULL,
	message TEXT NOT NULL, file VARCHAR(255), line INTEGER,
	PRIMARY KEY (id),
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE INDEX logs_of_run ON run_logs (run_id, id);

CREATE INDEX runs_by_start ON runs (started_at);

CREATE TABLE notices (
	id INTEGER NOT NULL,
	rule VARCHAR(32) NOT NULL,
	job VARCHAR(191) NOT NULL,
	run_id INTEGER,
	text TEXT NOT NULL,
	began_at DATETIME NOT NULL,
	told_at DATETIME NOT NULL,
	ended_at DATETIME,
	PRIMARY KEY (id)
);

CREATE INDEX notices_open ON notices (ended_at, job);

CREATE INDEX notices_of_job ON notices (job, id);

CREATE TABLE deliveries (
	id INTEGER NOT NULL,
	notice_id INTEGER NOT NULL,
	channel VARCHAR(64) NOT NULL,
	kind VARCHAR(16) NOT NULL,
	content TEXT NOT NULL,
	added_at DATETIME NOT NULL,
	due_at DATETIME NOT NULL,
	tries INTEGER NOT NULL,
	outcome VARCHAR(16),
	ended_at DATETIME,
	reason TEXT,
	PRIMARY KEY (id),
	FOREIGN KEY(notice_id) REFERENCES notices (id) ON DELETE CASCADE
);

CREATE INDEX deliveries_due ON deliveries (outcome, due_at);

CREATE INDEX deliveries_of_notice ON deliveries (notice_id, id);

CREATE INDEX logs_by_age ON run_logs (level, at);

CREATE TABLE configs (
	digest BLOB NOT NULL,
	content TEXT NOT NULL,
	PRIMARY KEY (digest)
);

CREATE TABLE results (
	run_id INTEGER NOT NULL,
	content TEXT NOT NULL,
	PRIMARY KEY (run_id),
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE TABLE run_uses (
	run_id INTEGER NOT NULL,
	dependency VARCHAR(191) NOT NULL,
	used_id INTEGER NOT NULL,
	PRIMARY KEY (run_id, dependency),
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE INDEX uses_of_run ON run_uses (used_id);

CREATE TABLE ledger_entries (
	name VARCHAR(64) NOT NULL,
	"key" BLOB NOT NULL,
	digest BLOB NOT NULL,
	published_at DATETIME NOT NULL,
	PRIMARY KEY (name, "key")
)
 WITHOUT ROWID;

CREATE INDEX ledger_entries_by_age ON ledger_entries (name, published_at);

CREATE TABLE refusals (
	name VARCHAR(64) NOT NULL,
	item VARCHAR(64) NOT NULL,
	"key" VARCHAR(255) NOT NULL,
	reason TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	next_at DATETIME NOT NULL,
	PRIMARY KEY (name, item, "key")
);

CREATE TABLE memories (
	job VARCHAR(191) NOT NULL,
	name VARCHAR(191) NOT NULL,
	PRIMARY KEY (job, name)
);

CREATE INDEX actions_by_age ON actions (at);

CREATE INDEX actions_by_kind ON actions (action, job, at);

CREATE INDEX deliveries_of_channel ON deliveries (channel, outcome, id);

CREATE TABLE identity (
	name VARCHAR(16) NOT NULL,
	id VARCHAR(32) NOT NULL,
	generation INTEGER NOT NULL,
	beat BIGINT NOT NULL,
	beat_at DATETIME NOT NULL,
	made_at DATETIME,
	restored_at DATETIME,
	lost_since DATETIME,
	lost_until DATETIME,
	PRIMARY KEY (name)
);

INSERT INTO alembic_version VALUES ('0006');
