package remember

import "sync"

// Map is what is remembered by a key. Any number of goroutines may share it.
type Map[K comparable, V any] struct {
	budget *Budget

	mu    sync.Mutex
	known map[K]thing[V]
}

type thing[V any] struct {
	value V
	bytes int
	used  int64
}

// entry is how many bytes a thing takes beside itself and its key.
const entry = 100

// NewMap is an empty one that shares a budget.
func NewMap[K comparable, V any](budget *Budget) *Map[K, V] {
	m := &Map[K, V]{budget: budget, known: map[K]thing[V]{}}
	budget.Share(m)
	return m
}

// Find is the value of a key, if it is remembered. That is a use of it.
func (m *Map[K, V]) Find(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, known := m.known[key]
	if known {
		found.used = m.budget.Use()
		m.known[key] = found
	}
	return found.value, known
}

// Keep remembers a value, which takes so many bytes, instead of the one that the key had,
// or none where there is no room for it.
func (m *Map[K, V]) Keep(key K, value V, bytes int) {
	bytes += entry
	taken := m.budget.Take(bytes)
	m.budget.Give(m.put(key, thing[V]{value, bytes, m.budget.Use()}, taken))
}

// put puts a thing in the place of another, and returns the bytes of that one.
func (m *Map[K, V]) put(key K, fresh thing[V], taken bool) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.known[key].bytes
	if taken {
		m.known[key] = fresh
	} else {
		delete(m.known, key)
	}
	return before
}

// Uses is Holder's.
func (m *Map[K, V]) Uses(yield func(used int64, bytes int)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.known {
		yield(t.used, t.bytes)
	}
}

// Forget is Holder's.
func (m *Map[K, V]) Forget(before int64) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	forgotten := 0
	for key, t := range m.known {
		if t.used < before {
			forgotten += t.bytes
			delete(m.known, key)
		}
	}
	return forgotten
}
