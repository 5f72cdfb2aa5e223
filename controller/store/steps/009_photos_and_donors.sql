-- Step 9: photos of hand steps, and whose cells a unit holds (donor '' = its line was cleared). Frozen.

CREATE TABLE photos (
	photo TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	path TEXT DEFAULT '' NOT NULL, 
	at REAL NOT NULL, 
	"by" TEXT DEFAULT '' NOT NULL, 
	kind TEXT DEFAULT '' NOT NULL, 
	bytes INTEGER NOT NULL, 
	sha256 TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (photo), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
) STRICT;

CREATE TABLE unit_donors (
	id INTEGER NOT NULL, 
	unit TEXT DEFAULT '' NOT NULL, 
	donor TEXT DEFAULT '' NOT NULL, 
	run_id TEXT, 
	at REAL NOT NULL, 
	"by" TEXT DEFAULT '' NOT NULL, 
	why TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
) STRICT;
