package harness

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Load and Measured are those of harness/peer.ts.
type Load struct {
	Operation    string
	InFlight     int
	Connections  int
	PayloadBytes int
	WarmupMs     int
	WindowMs     int
	ServerPids   []int
}

type Measured struct {
	Count     int64   `json:"count"`
	ElapsedMs float64 `json:"elapsedMs"`
	P50       float64 `json:"p50,omitempty"`
	P99       float64 `json:"p99,omitempty"`
	ServerCpu float64 `json:"serverCpu"`
	ClientCpu float64 `json:"clientCpu"`
	ServerRss int64   `json:"serverRss"`
	ClientRss int64   `json:"clientRss"`
}

// worker is one of the calls in flight. Its counter is its own, so that workers do not fight for a cache line.
type worker struct {
	count   atomic.Int64
	samples []float64
	_       [64]byte
}

const timedEvery = 8

// run keeps calls in flight and measures a window. Each connection has a task; workers share it.
func run(load Load, connect func() (func(n int) error, error)) Measured {
	var measuring, over atomic.Bool
	workers := make([]*worker, load.InFlight)
	every := timedEvery
	if load.InFlight < timedEvery*2 {
		every = 1
	}
	tasks := make([]func(n int) error, load.Connections)
	for i := range tasks {
		task, err := connect()
		if err != nil {
			Fail(err)
		}
		tasks[i] = task
	}
	for i := range workers {
		w := &worker{}
		workers[i] = w
		task := tasks[i%len(tasks)]
		go func() {
			for n := 1; !over.Load(); n = (n + 1) & 0xffff {
				timed := n%every == 0 && measuring.Load()
				var at time.Time
				if timed {
					at = time.Now()
				}
				if err := task(n); err != nil {
					if over.Load() {
						return
					}
					Fail(err)
				}
				if timed {
					w.samples = append(w.samples, float64(time.Since(at))/1000)
				}
				w.count.Add(1)
			}
		}()
	}
	total := func() (sum int64) {
		for _, w := range workers {
			sum += w.count.Load()
		}
		return
	}
	own := []int{os.Getpid()}
	time.Sleep(time.Duration(load.WarmupMs) * time.Millisecond)
	serverCpu, clientCpu, count, at := cpuOf(load.ServerPids), cpuOf(own), total(), time.Now()
	measuring.Store(true)
	time.Sleep(time.Duration(load.WindowMs) * time.Millisecond)
	measured := Measured{
		ElapsedMs: float64(time.Since(at)) / 1e6,
		Count:     total() - count,
		ServerCpu: cpuOf(load.ServerPids) - serverCpu,
		ClientCpu: cpuOf(own) - clientCpu,
		ServerRss: rssOf(load.ServerPids),
		ClientRss: rssOf(own),
	}
	over.Store(true)
	time.Sleep(50 * time.Millisecond)
	var samples []float64
	for _, w := range workers {
		samples = append(samples, w.samples...)
	}
	if len(samples) > 0 {
		sort.Float64s(samples)
		measured.P50 = samples[len(samples)/2]
		measured.P99 = samples[len(samples)*99/100]
	}
	return measured
}

// cpuOf is the CPU time of processes in µs. Threads of Go do not end, so their sum only grows.
func cpuOf(pids []int) (total float64) {
	for _, pid := range pids {
		threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		for _, thread := range threads {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, thread.Name()))
			if fields := strings.Fields(string(text)); len(fields) > 0 {
				ns, _ := strconv.ParseFloat(fields[0], 64)
				total += ns / 1000
			}
		}
	}
	return
}

func rssOf(pids []int) (total int64) {
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for _, line := range strings.Split(string(text), "\n") {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
				kib, _ := strconv.ParseInt(fields[1], 10, 64)
				total += kib * 1024
			}
		}
	}
	return
}
