package key

// Remembered is how many keys are in memory, and how many ids of none.
func (k *Keys) Remembered() (known, unknown int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.known), len(k.unknown)
}
