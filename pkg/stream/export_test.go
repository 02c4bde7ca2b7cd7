package stream

import "time"

// RemoveDurables is the last step of Setup, for what can only happen between two.
var RemoveDurables = removeDurables

// Pace is how a publisher chooses.
type Pace struct{ *pace }

// NewPace knows nothing yet.
func NewPace() *Pace { return &Pace{newPace()} }

func (p *Pace) OneByOne(n int) bool                    { return p.oneByOne(n) }
func (p *Pace) SentOneByOne(n int, took time.Duration) { p.sentOneByOne(n, took) }
func (p *Pace) SentAsBatch(n int, took time.Duration)  { p.sentAsBatch(n, took) }
