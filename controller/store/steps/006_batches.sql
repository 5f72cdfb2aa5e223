-- Step 6: batches and where they come from. Frozen: a later change of the schema is a later step.

CREATE TABLE batches (
	batch TEXT NOT NULL, 
	kind TEXT DEFAULT '' NOT NULL, 
	run_id TEXT, 
	at REAL NOT NULL, 
	"by" TEXT DEFAULT '' NOT NULL, 
	note TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (batch), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
) STRICT;

CREATE TABLE batch_edges (
	parent TEXT NOT NULL, 
	child TEXT NOT NULL, 
	share REAL, 
	PRIMARY KEY (parent, child), 
	FOREIGN KEY(parent) REFERENCES batches (batch), 
	FOREIGN KEY(child) REFERENCES batches (batch)
) STRICT;
