module farcall.bench/peers

go 1.22
