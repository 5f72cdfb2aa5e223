-- Step 4: the bench files this ledger has run under, and who accepted them. Frozen.

CREATE TABLE configurations (
	digest TEXT NOT NULL, 
	content TEXT DEFAULT '{}' NOT NULL, 
	first_seen_at REAL NOT NULL, 
	accepted_at REAL, 
	accepted_by TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (digest)
) STRICT;
