module netrpc

go 1.22
