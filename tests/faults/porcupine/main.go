// The judge of the histories of `make check-faults`: Porcupine on one register a code, refresh family and grant.
//
// It reads entries as lines of JSON, and writes one document: how many it judged, and the registers it found illegal
// or could not judge in time.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

const patience = 20 * time.Second // a register

type place struct {
	Register string `json:"register"`
	Key      string `json:"key"`
}

type verdict struct {
	Registers  map[string]int `json:"registers"`
	Operations int            `json:"operations"`
	Illegal    []place        `json:"illegal"`
	Undecided  []place        `json:"undecided"`
}

func main() {
	histories := map[place][]porcupine.Operation{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<16), 1<<20)
	found := verdict{Registers: map[string]int{}, Illegal: []place{}, Undecided: []place{}}
	for lines.Scan() {
		var entry Entry
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			fail(err)
		}
		at := place{entry.Register, entry.Key}
		operation := porcupine.Operation{Input: entry, Call: entry.Call, Return: math.MaxInt64}
		if entry.Return != nil {
			operation.Return = *entry.Return
		}
		histories[at] = append(histories[at], operation)
		found.Operations++
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
	known := models()
	for at, history := range histories {
		model, ok := known[at.Register]
		if !ok {
			fail(fmt.Errorf("no such register: %s", at.Register))
		}
		found.Registers[at.Register]++
		switch porcupine.CheckOperationsTimeout(model, history, patience) {
		case porcupine.Illegal:
			found.Illegal = append(found.Illegal, at)
		case porcupine.Unknown:
			found.Undecided = append(found.Undecided, at)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "porcupine:", err)
	os.Exit(2)
}
