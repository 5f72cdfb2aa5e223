-- Step 8: how long vessels were out of the incubator, visit by visit. Frozen.

CREATE TABLE outings (
	run_id TEXT NOT NULL, 
	path TEXT NOT NULL, 
	vessel TEXT NOT NULL, 
	back_at REAL NOT NULL, 
	out_s REAL, 
	limit_s REAL NOT NULL, 
	"by" TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (run_id, path, vessel), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
) STRICT;
