package store

import (
	"encoding/binary"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// column is a column of rows as an array: its elements are encoded already, one after
// the other, each with its length, which is how arrays have them, too.
type column struct {
	elements []byte
	n        int
}

// args is the rows, column by column, by the columns' names. An insert may leave out
// what is null in all of them.
func (r *rows) args() pgx.NamedArgs {
	columns := make([]column, len(r.table.columns))
	for i := range columns {
		columns[i] = column{elements: make([]byte, 0, 12*r.n), n: r.n}
	}
	rest := r.body[copyHeader:]
	for range r.n {
		rest = rest[2:] // how many columns there are
		for i := range columns {
			size := 4
			if length := int32(binary.BigEndian.Uint32(rest)); length > 0 { // -1 is null
				size += int(length)
			}
			columns[i].elements = append(columns[i].elements, rest[:size]...)
			rest = rest[size:]
		}
	}
	args := make(pgx.NamedArgs, len(columns))
	for i, name := range r.table.columns {
		args[name] = columns[i]
	}
	return args
}

// columnCodec is an array's codec that takes a column, too.
type columnCodec struct{ *pgtype.ArrayCodec }

// PlanEncode is pgtype.Codec's.
func (c columnCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(column); ok && format == pgtype.BinaryFormatCode {
		return encodeColumn{c.ElementType.OID}
	}
	return c.ArrayCodec.PlanEncode(m, oid, format, value)
}

// encodeColumn writes an array of elements of a type (Postgres' array_recv).
type encodeColumn struct{ element uint32 }

// Encode is pgtype.EncodePlan's.
func (e encodeColumn) Encode(value any, dst []byte) ([]byte, error) {
	c, _ := value.(column)
	for _, n := range [...]uint32{1, 1, e.element, uint32(c.n), 1} { // dimensions, nulls, type, size, first index
		dst = binary.BigEndian.AppendUint32(dst, n)
	}
	return append(dst, c.elements...), nil
}

// takeColumns lets a connection's arrays be columns.
func takeColumns(m *pgtype.Map) {
	for _, oid := range [...]uint32{
		pgtype.BoolArrayOID, pgtype.ByteaArrayOID, pgtype.DateArrayOID, pgtype.Int2ArrayOID, pgtype.Int4ArrayOID, pgtype.Int8ArrayOID,
		pgtype.JSONBArrayOID, pgtype.TextArrayOID, pgtype.TimestamptzArrayOID, pgtype.UUIDArrayOID,
	} {
		known, _ := m.TypeForOID(oid)
		if codec, plain := known.Codec.(*pgtype.ArrayCodec); plain {
			m.RegisterType(&pgtype.Type{Name: known.Name, OID: oid, Codec: columnCodec{codec}})
		}
	}
}
