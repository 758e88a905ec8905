module rovitracker/tests/faults/porcupine

go 1.24

tool rovitracker/tests/faults/porcupine

require github.com/anishathalye/porcupine v1.3.1
