module geerpc

go 1.22
