module farcall/peers/jsonrpc

go 1.19
