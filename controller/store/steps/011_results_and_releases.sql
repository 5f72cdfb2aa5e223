-- Step 11: results of samples, each reading of them kept, and releases of batches. Nothing wrote results before. Frozen.

DROP TABLE sample_results;

CREATE TABLE sample_results (
	run_id TEXT NOT NULL, 
	path TEXT NOT NULL, 
	name TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	sample TEXT DEFAULT '' NOT NULL, 
	value TEXT DEFAULT 'null' NOT NULL, 
	unit TEXT DEFAULT '' NOT NULL, 
	state TEXT DEFAULT '' NOT NULL, 
	method TEXT DEFAULT '' NOT NULL, 
	why TEXT DEFAULT '' NOT NULL, 
	at REAL NOT NULL, 
	"by" TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (run_id, path, name, number), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
) STRICT;

CREATE TABLE releases (
	id INTEGER NOT NULL, 
	batch TEXT NOT NULL, 
	stage TEXT DEFAULT '' NOT NULL, 
	at REAL NOT NULL, 
	"by" TEXT DEFAULT '' NOT NULL, 
	second_by TEXT DEFAULT '' NOT NULL, 
	second_at REAL, 
	why TEXT DEFAULT '' NOT NULL, 
	facts TEXT DEFAULT 'null' NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(batch) REFERENCES batches (batch)
) STRICT;
