package main

import "github.com/anishathalye/porcupine"

// Entry is one operation on one register, as tests/faults/registers.py writes it.
type Entry struct {
	Register  string `json:"register"` // kind: code, family or grant
	Key       string `json:"key"`
	Call      int64  `json:"call"`   // ns of the caller's monotonic clock
	Return    *int64 `json:"return"` // null: open until the end
	Verb      string `json:"verb"`
	Outcome   string `json:"outcome"` // ok, refused, active, inactive; open: it may have happened or not
	Token     string `json:"token"`   // presented
	Successor string `json:"successor"`
	Mask      uint64 `json:"mask"`  // tokens of the grant, a bit each; the whole grant is the highest one
	Weak      bool   `json:"weak"`  // the fault of this run may lose codes, or bring burned ones back
}

const wholeGrant = uint64(1) << 63

// A code is issued once, redeemed at most once, or gone. A redemption whose outcome nobody knows leaves it as it was, or
// redeemed it.
const (
	issued = iota
	redeemed
	gone
)

func stepCode(state int, e Entry) []interface{} {
	switch {
	case e.Verb == "redeem" && e.Outcome == "ok":
		if state == issued || (state == gone && e.Weak) {
			return []interface{}{redeemed}
		}
	case e.Verb == "redeem" && e.Outcome == "refused":
		if state == issued && e.Weak {
			return []interface{}{issued, gone}
		}
		if state != issued {
			return []interface{}{state}
		}
	case e.Verb == "redeem" && e.Outcome == "open":
		if state == issued {
			return []interface{}{issued, redeemed}
		}
		return []interface{}{state}
	case e.Verb == "burn" && e.Outcome == "refused":
		if state == issued {
			return []interface{}{gone}
		}
		return []interface{}{state}
	case e.Verb == "burn" && e.Outcome == "open":
		if state == issued {
			return []interface{}{issued, gone}
		}
		return []interface{}{state}
	}
	return nil
}

// A family has one current refresh token. One that was spent before ends it.
type family struct {
	current string
	ended   bool
}

func stepFamily(state family, e Entry) []interface{} {
	ended := family{state.current, true}
	switch e.Verb {
	case "begin":
		return []interface{}{family{e.Successor, state.ended}}
	case "refresh":
		fits := !state.ended && state.current == e.Token
		switch e.Outcome {
		case "ok":
			if fits {
				return []interface{}{family{e.Successor, false}}
			}
		case "refused":
			if !fits {
				return []interface{}{ended}
			}
		case "open":
			if fits {
				return []interface{}{state, family{e.Successor, false}}
			}
			return []interface{}{state, ended}
		}
	case "read":
		if (e.Outcome == "active") == (!state.ended && state.current == e.Token) {
			return []interface{}{state}
		}
	case "end":
		if state.current == "" { // a second use of a code before its first: nothing is there to end
			return []interface{}{state}
		}
		if e.Outcome == "open" {
			return []interface{}{state, ended}
		}
		return []interface{}{ended}
	}
	return nil
}

// A grant's tokens: those that an end may have reached, and those that it has reached everywhere.
type grant struct {
	ending, ended uint64
}

func stepGrant(state grant, e Entry) []interface{} {
	reaching := e.Mask | wholeGrant
	after := grant{state.ending | e.Mask, state.ended}
	switch e.Verb {
	case "settled": // it was found inactive a second ago, which needs a reason of its own
		return []interface{}{grant{state.ending, state.ended | e.Mask}}
	case "read":
		if e.Outcome == "active" && state.ended&reaching == 0 {
			return []interface{}{state}
		}
		if e.Outcome == "inactive" && state.ending&reaching != 0 {
			return []interface{}{state}
		}
		return nil
	case "ended":
		after.ended |= e.Mask
	}
	if e.Outcome == "open" {
		return []interface{}{state, after}
	}
	return []interface{}{after}
}

func models() map[string]porcupine.Model {
	code := porcupine.NondeterministicModel{
		Init: func() []interface{} { return []interface{}{issued} },
		Step: func(s, in, _ interface{}) []interface{} { return stepCode(s.(int), in.(Entry)) },
		Hash: func(s interface{}) uint64 { return uint64(s.(int)) + 1 },
	}
	families := porcupine.NondeterministicModel{
		Init: func() []interface{} { return []interface{}{family{}} },
		Step: func(s, in, _ interface{}) []interface{} { return stepFamily(s.(family), in.(Entry)) },
	}
	grants := porcupine.NondeterministicModel{
		Init: func() []interface{} { return []interface{}{grant{}} },
		Step: func(s, in, _ interface{}) []interface{} { return stepGrant(s.(grant), in.(Entry)) },
		Hash: func(s interface{}) uint64 { return s.(grant).ending*31 + s.(grant).ended },
	}
	return map[string]porcupine.Model{
		"code": code.ToModel(), "family": families.ToModel(), "grant": grants.ToModel(),
	}
}
