-- Step 7: what a vessel was found to hold, and what a run took over from the one before. Frozen.

CREATE TABLE volumes (
	id INTEGER NOT NULL, 
	unit TEXT DEFAULT '' NOT NULL, 
	at REAL NOT NULL, 
	ml REAL NOT NULL, 
	sigma_ml REAL NOT NULL, 
	"by" TEXT DEFAULT '' NOT NULL, 
	why TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
) STRICT;

CREATE INDEX volumes_of_unit ON volumes (unit, at);
