-- Step 5: lots of materials, their use in hand steps, and when a step that was written down later had happened.
-- Frozen: a later change of the schema is a later step.

ALTER TABLE tasks ADD COLUMN happened_at REAL;

CREATE TABLE materials (
	lot TEXT NOT NULL, 
	material TEXT DEFAULT '' NOT NULL, 
	made_at REAL, 
	received_at REAL NOT NULL, 
	expires_at REAL, 
	opened_at REAL, 
	container TEXT DEFAULT '' NOT NULL, 
	amount REAL, 
	unit TEXT DEFAULT '' NOT NULL, 
	state TEXT NOT NULL, 
	"by" TEXT DEFAULT '' NOT NULL, 
	why TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (lot), 
	CHECK (state IN ('stock', 'open', 'used up', 'discarded'))
) STRICT;

CREATE TABLE lot_uses (
	run_id TEXT NOT NULL, 
	path TEXT NOT NULL, 
	material TEXT NOT NULL, 
	lot TEXT DEFAULT '' NOT NULL, 
	at REAL NOT NULL, 
	"by" TEXT DEFAULT '' NOT NULL, 
	why TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (run_id, path, material), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
) STRICT;
