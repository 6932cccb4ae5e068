module polyglot

go 1.22
