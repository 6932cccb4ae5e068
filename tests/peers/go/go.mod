module farcall/peers

go 1.22
