-- Whether a conversation that was handed over is a thread that not all of its channel read.
alter table handovers add column closed integer not null default 0;
