-- A search looks at each part of the word index: parts of about the same size are made one.
insert into passage_words (passage_words, rank) values ('usermerge', 2);
insert into passage_words (passage_words) values ('rebuild');
