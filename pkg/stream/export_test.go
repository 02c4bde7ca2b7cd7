package stream

// RemoveDurables is the last step of Setup, for what can only happen between two.
var RemoveDurables = removeDurables
