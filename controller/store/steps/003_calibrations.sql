-- Step 3: calibrations of devices and pumps. Frozen: a later change of the schema is a later step.

CREATE TABLE calibrations (
	calibration_id TEXT NOT NULL, 
	device TEXT DEFAULT '' NOT NULL, 
	kind TEXT DEFAULT '' NOT NULL, 
	state TEXT NOT NULL, 
	begun_at REAL NOT NULL, 
	begun_by TEXT DEFAULT '' NOT NULL, 
	ended_at REAL, 
	ended_by TEXT DEFAULT '' NOT NULL, 
	signed TEXT DEFAULT '' NOT NULL, 
	identity TEXT DEFAULT '' NOT NULL, 
	points TEXT DEFAULT '[]' NOT NULL, 
	old TEXT DEFAULT '{}' NOT NULL, 
	new TEXT DEFAULT '{}' NOT NULL, 
	limits TEXT DEFAULT '{}' NOT NULL, 
	due REAL, 
	why TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (calibration_id), 
	CHECK (state IN ('open', 'accepted', 'refused', 'discarded'))
) STRICT;
