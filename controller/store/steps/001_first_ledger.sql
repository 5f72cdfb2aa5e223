-- Step 1: the first ledger. Frozen: a later change of the schema is a later step.

CREATE TABLE audit (
  seq INTEGER NOT NULL,
  entry TEXT NOT NULL,
  hash TEXT NOT NULL,
  utc TEXT GENERATED ALWAYS AS (json_extract(entry, '$.utc')) VIRTUAL,
  actor TEXT GENERATED ALWAYS AS (json_extract(entry, '$.actor')) VIRTUAL,
  action TEXT GENERATED ALWAYS AS (json_extract(entry, '$.action')) VIRTUAL,
  object_type TEXT GENERATED ALWAYS AS (json_extract(entry, '$.object_type')) VIRTUAL,
  object_id TEXT GENERATED ALWAYS AS (json_extract(entry, '$.object_id')) VIRTUAL,
  run_id TEXT GENERATED ALWAYS AS (json_extract(entry, '$.run_id')) VIRTUAL,
  outcome TEXT GENERATED ALWAYS AS (json_extract(entry, '$.outcome')) VIRTUAL,
  PRIMARY KEY (seq)
)
 STRICT;

CREATE TABLE devices (
  name TEXT NOT NULL,
  model TEXT DEFAULT '' NOT NULL,
  identity TEXT DEFAULT '' NOT NULL,
  first_seen_at REAL NOT NULL,
  PRIMARY KEY (name)
)
 STRICT;

CREATE TABLE epochs (
  epoch INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  boot_id TEXT DEFAULT '' NOT NULL,
  at REAL NOT NULL,
  version TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (epoch)
)
 STRICT;

CREATE TABLE meta (
  "key" TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY ("key")
)
 STRICT;

CREATE TABLE runs (
  run_id TEXT NOT NULL,
  unit TEXT DEFAULT '' NOT NULL,
  name TEXT DEFAULT '' NOT NULL,
  protocol TEXT DEFAULT '' NOT NULL,
  protocol_hash TEXT DEFAULT '' NOT NULL,
  protocol_version TEXT DEFAULT '' NOT NULL,
  "plan" TEXT DEFAULT 'null' NOT NULL,
  parameters TEXT DEFAULT '{}' NOT NULL,
  state TEXT DEFAULT '' NOT NULL,
  created_at REAL NOT NULL,
  started_at REAL,
  ended_at REAL,
  program_version TEXT DEFAULT '' NOT NULL,
  created_by TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (run_id)
)
 STRICT;

CREATE TABLE alarms (
  alarm_id TEXT NOT NULL,
  "key" TEXT DEFAULT '' NOT NULL,
  source TEXT DEFAULT '' NOT NULL,
  priority TEXT DEFAULT '' NOT NULL,
  text TEXT DEFAULT '' NOT NULL,
  advice TEXT DEFAULT '' NOT NULL,
  state TEXT NOT NULL,
  run_id TEXT,
  raised_at REAL NOT NULL,
  acked_at REAL,
  acked_by TEXT DEFAULT '' NOT NULL,
  cleared_at REAL,
  shelved_until REAL,
  detail TEXT DEFAULT '{}' NOT NULL,
  PRIMARY KEY (alarm_id),
  CHECK (state IN ('NORMAL', 'UNACK', 'ACKED', 'RTN_UNACK', 'LATCHED_UNACK', 'LATCHED_ACK', 'SHELVED', 'SUPPRESSED', 'OUT_OF_SERVICE')),
  FOREIGN KEY(run_id) REFERENCES runs (run_id)
)
 STRICT;

CREATE TABLE answers (
  "key" TEXT NOT NULL,
  run_id TEXT,
  at REAL NOT NULL,
  answer TEXT DEFAULT 'null' NOT NULL,
  PRIMARY KEY ("key"),
  FOREIGN KEY(run_id) REFERENCES runs (run_id)
)
 STRICT;

CREATE TABLE deviations (
  id INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  path TEXT DEFAULT '' NOT NULL,
  at REAL NOT NULL,
  text TEXT DEFAULT '' NOT NULL,
  detail TEXT DEFAULT '{}' NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(run_id) REFERENCES runs (run_id)
)
 STRICT;

CREATE TABLE doses (
  dose_id TEXT NOT NULL,
  run_id TEXT,
  path TEXT DEFAULT '' NOT NULL,
  part TEXT DEFAULT '' NOT NULL,
  stroke TEXT DEFAULT '' NOT NULL,
  number INTEGER DEFAULT '1' NOT NULL,
  fluid TEXT DEFAULT '' NOT NULL,
  fluid_path TEXT DEFAULT '' NOT NULL,
  device TEXT DEFAULT '' NOT NULL,
  identity TEXT DEFAULT '' NOT NULL,
  target_ml REAL,
  tolerance_ml REAL,
  cap_ml REAL,
  rate_ml_min REAL,
  epoch INTEGER NOT NULL,
  state TEXT NOT NULL,
  drawn_before_ml REAL,
  delivered_before_ml REAL,
  after_ml REAL,
  moved_ml REAL,
  resolution_ml REAL,
  witness TEXT DEFAULT '' NOT NULL,
  witness_before REAL,
  witness_after REAL,
  liquid_ml REAL,
  intended_at REAL NOT NULL,
  sent_at REAL,
  ended_at REAL,
  evidence TEXT DEFAULT '' NOT NULL,
  decided_by TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (dose_id),
  CHECK (state IN ('intended', 'sent', 'moving', 'fenced', 'done', 'partial', 'unknown', 'cancelled', 'over')),
  FOREIGN KEY(run_id) REFERENCES runs (run_id),
  FOREIGN KEY(epoch) REFERENCES epochs (epoch)
)
 STRICT;

CREATE TABLE journal (
  seq INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  at REAL NOT NULL,
  event TEXT DEFAULT 'null' NOT NULL,
  audit_seq INTEGER NOT NULL,
  PRIMARY KEY (seq),
  FOREIGN KEY(run_id) REFERENCES runs (run_id),
  FOREIGN KEY(audit_seq) REFERENCES audit (seq)
)
 STRICT;

CREATE TABLE outages (
  id INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  last_known_at REAL,
  restarted_at REAL NOT NULL,
  gap_s REAL,
  decision TEXT DEFAULT '' NOT NULL,
  decided_by TEXT DEFAULT '' NOT NULL,
  detail TEXT DEFAULT '{}' NOT NULL,
  PRIMARY KEY (id),
  FOREIGN KEY(epoch) REFERENCES epochs (epoch)
)
 STRICT;

CREATE TABLE points (
  output TEXT NOT NULL,
  value TEXT DEFAULT 'null' NOT NULL,
  unit TEXT DEFAULT '' NOT NULL,
  "by" TEXT DEFAULT '' NOT NULL,
  run_id TEXT,
  at REAL NOT NULL,
  PRIMARY KEY (output),
  FOREIGN KEY(run_id) REFERENCES runs (run_id)
)
 STRICT;

CREATE TABLE sample_results (
  run_id TEXT NOT NULL,
  sample TEXT NOT NULL,
  name TEXT NOT NULL,
  path TEXT DEFAULT '' NOT NULL,
  value TEXT DEFAULT 'null' NOT NULL,
  unit TEXT DEFAULT '' NOT NULL,
  at REAL NOT NULL,
  "by" TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (run_id, sample, name),
  FOREIGN KEY(run_id) REFERENCES runs (run_id)
)
 STRICT;

CREATE TABLE tasks (
  run_id TEXT NOT NULL,
  path TEXT NOT NULL,
  title TEXT DEFAULT '' NOT NULL,
  hand TEXT DEFAULT 'null' NOT NULL,
  due REAL,
  opened_at REAL NOT NULL,
  state TEXT NOT NULL,
  entries TEXT DEFAULT '{}' NOT NULL,
  answered_by TEXT DEFAULT '' NOT NULL,
  answered_at REAL,
  closed_at REAL,
  why TEXT DEFAULT '' NOT NULL,
  PRIMARY KEY (run_id, path),
  CHECK (state IN ('open', 'answered', 'closed')),
  FOREIGN KEY(run_id) REFERENCES runs (run_id)
)
 STRICT;

CREATE TRIGGER audit_next BEFORE INSERT ON audit WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit)
  BEGIN SELECT RAISE(ABORT, 'audit grows at its end only'); END;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;

CREATE TRIGGER journal_next BEFORE INSERT ON journal WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM journal)
  BEGIN SELECT RAISE(ABORT, 'journal grows at its end only'); END;

CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;

CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;
