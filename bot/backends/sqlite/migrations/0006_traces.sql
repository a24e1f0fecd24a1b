-- How an answer came about: names, ids and scores, never what somebody wrote.
create table traces (
  event text primary key, lane text not null, at real not null,
  trace text not null                      -- JSON
) without rowid;
create index traces_of on traces (lane, at);
