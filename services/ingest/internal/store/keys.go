package store

import "github.com/jackc/pgx/v5/pgtype"

// keyArray is a uuid[] for Postgres. A plain slice would do, but is encoded with two
// allocations a key.
type keyArray []key

// Dimensions is pgtype.ArrayGetter's.
func (k keyArray) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(k)), LowerBound: 1}}
}

// Index is pgtype.ArrayGetter's.
func (k keyArray) Index(i int) any { return (*uuid)(&k[i]) }

// IndexType is pgtype.ArrayGetter's.
func (k keyArray) IndexType() any { return (*uuid)(nil) }

// uuid is a key as pgx asks for it.
type uuid [16]byte

// UUIDValue is pgtype.UUIDValuer's.
func (u *uuid) UUIDValue() (pgtype.UUID, error) { return pgtype.UUID{Bytes: *u, Valid: true}, nil }
